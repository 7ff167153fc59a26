import { createHash } from 'node:crypto'

/** A text that does not change while the server runs, with its entity tag. */
export interface StaticText {
  text: string
  etag: string
}

/** Computes the entity tag of a text from its hash. */
export const staticText = (text: string): StaticText => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
})

/** Creates the text at the first call and returns the same one afterwards. */
export const lazyText = (create: () => Promise<StaticText>): (() => Promise<StaticText>) => {
  let creating: Promise<StaticText> | undefined
  return async () => {
    creating ??= create()
    try {
      return await creating
    } catch (error) {
      creating = undefined
      throw error
    }
  }
}

/** Whether `If-None-Match` names this version of the text (RFC 9110, 13.1.2: weak comparison, or `*`). */
export const isCurrent = (ifNoneMatch: string | undefined, { etag }: StaticText): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
