import { createHash } from 'node:crypto'

/** A text that never changes while the server runs, with its entity tag. */
export interface StaticText {
  text: string
  etag: string
}

/** Names the state of a text by its hash. */
export const staticText = (text: string): StaticText => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
})

/** Whether a client's `If-None-Match` names this state (RFC 9110, 13.1.2: weak comparison, or `*`). */
export const isCurrent = (ifNoneMatch: string | undefined, { etag }: StaticText): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
