import { AtlasConnectionError, AtlasProblem, AtlasTimeout } from './errors.ts'
import type { AtlasError } from './errors.ts'

const baseDelayMs = 300
const growth = 2.6
const longestDelayMs = 30_000
const busyStatuses = [429, 502, 503, 504]

/**
 * How long to wait before a retry: a random part of 300 ms, 800 ms, 2 s … so that clients which failed together do not
 * come back together. What the server asks for is waited in full, and the random part after it.
 * @param retry how many retries there were before
 * @param random from 0 up to 1
 */
export const retryDelayMs = (retry: number, random: number, retryAfterMs = 0): number =>
  Math.round(retryAfterMs + random * Math.min(longestDelayMs, baseDelayMs * growth ** retry))

/** Reads Retry-After, in seconds or as an HTTP date, as milliseconds from now; undefined when it is neither. */
export const readRetryAfter = (header: string | null, nowMs: number): number | undefined => {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  // A date has letters; without them Date.parse would take a negative or fractional number for a year.
  const at = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

export interface Repeatable {
  verb: string
  /** Whether it is a POST that changes nothing. */
  readOnly: boolean
  /** Whether the request carries an idempotency key that the server keeps. */
  keyed: boolean
  /** Whether it carries If-Match. */
  conditional: boolean
  /** Whether it moves a position that the server keeps. */
  movesPosition: boolean
}

/**
 * Whether a request may be sent again although nobody knows whether the first one had its effect.
 *
 * A POST may when it changes nothing, or carries a key: the server answers what it answered the first time. PUT and DELETE lead to the same state
 * however often they arrive. A PATCH may not, since someone else's change may lie between the two and would be undone; with
 * If-Match it may, because a second application then is refused as a version conflict. A GET may, unless it moves a position:
 * what was lost with the first answer would be skipped.
 */
export const isRepeatable = ({ verb, readOnly, keyed, conditional, movesPosition }: Repeatable): boolean => {
  if (verb === 'POST') return readOnly || keyed
  if (verb === 'PATCH') return conditional
  return !movesPosition
}

/**
 * Whether an error may be gone at the next attempt. 429 and an idempotency key in flight say that the request was not carried out, so
 * that any request may follow them; after the others only a repeatable one.
 */
export const isWorthRetrying = (error: AtlasError, request: Repeatable): boolean => {
  if (error instanceof AtlasProblem) {
    const refused = error.status === 429 || (error.status === 409 && error.code === 'idempotency_in_flight')
    return refused || (busyStatuses.includes(error.status) && isRepeatable(request))
  }
  return (error instanceof AtlasConnectionError || error instanceof AtlasTimeout) && isRepeatable(request)
}
