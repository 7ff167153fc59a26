import type { DocumentContent } from '../generate/model.ts'

/** One version of the document. */
export interface Side {
  document: DocumentContent
  /** Follows a reference. */
  resolve<Part extends { $ref?: string }>(part: Part): Part
}

export const createSide = (document: DocumentContent): Side => {
  const resolve = <Part extends { $ref?: string }>(part: Part): Part => {
    if (part.$ref === undefined) return part
    const keys = part.$ref
      .slice(2)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    return resolve(keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document) as Part)
  }
  return { document, resolve }
}

/** One difference between two versions of the specification. */
export interface Change {
  /** Whether the change can break a client that worked with the earlier version. */
  breaking: boolean
  /** Location, such as `GET /v1/transfers › 200 › items[].status`. */
  place: string
  what: string
}

/** Two versions, and where to report their differences. */
export interface Comparison {
  before: Side
  after: Side
  report: (breaking: boolean, place: string, what: string) => void
}
