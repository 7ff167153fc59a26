import type { DocumentContent } from '../generate/model.ts'

/** One version of the document. */
export interface Side {
  document: DocumentContent
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
