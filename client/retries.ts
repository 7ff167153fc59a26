import { AtlasConnectionError, AtlasProblem, AtlasTimeout } from './errors.ts'
import type { AtlasError } from './errors.ts'

const baseDelayMs = 300
const growth = 2.6
const longestDelayMs = 30_000
const busyStatuses = [429, 502, 503, 504]

/**
 * The delay before a retry: Retry-After, plus a random part of 300 ms, 800 ms, 2 s … so that clients that failed together do
 * not retry together.
 * @param retry number of earlier retries
 * @param random from 0 to 1
 */
export const retryDelayMs = (retry: number, random: number, retryAfterMs = 0): number =>
  Math.round(retryAfterMs + random * Math.min(longestDelayMs, baseDelayMs * growth ** retry))

/** Parses Retry-After, in seconds or as an HTTP date, to milliseconds from now; undefined when it is neither. */
export const readRetryAfter = (header: string | null, nowMs: number): number | undefined => {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  // A date has letters. Date.parse would read a negative or fractional number as a year.
  const at = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

/** The properties of a request that decide whether it can be repeated. */
export interface Repeatable {
  verb: string
  /** Whether it is a read-only POST. */
  readOnly: boolean
  /** Whether it has an idempotency key that the server honours. */
  keyed: boolean
  /** Whether it has If-Match. */
  conditional: boolean
  /** Whether it moves a position that the server stores. */
  movesPosition: boolean
}

/**
 * Whether a request can be repeated when it is unknown whether the first attempt took effect.
 *
 * - POST: yes if read-only or with an idempotency key, because the server replays the first response.
 * - PUT, DELETE: yes, because repeating them leads to the same state.
 * - PATCH: only with If-Match. Otherwise it could undo a change made in between.
 * - GET: yes, unless it moves a stored position. The page of a lost response would be skipped.
 */
export const isRepeatable = ({ verb, readOnly, keyed, conditional, movesPosition }: Repeatable): boolean => {
  if (verb === 'POST') return readOnly || keyed
  if (verb === 'PATCH') return conditional
  return !movesPosition
}

/**
 * Whether another attempt may succeed. After 429 or an idempotency key in flight, any request can be retried, because it was
 * not carried out. After other errors only repeatable requests can.
 */
export const isWorthRetrying = (error: AtlasError, request: Repeatable): boolean => {
  if (error instanceof AtlasProblem) {
    const notCarriedOut = error.status === 429 || (error.status === 409 && error.code === 'idempotency_in_flight')
    return notCarriedOut || (busyStatuses.includes(error.status) && isRepeatable(request))
  }
  return (error instanceof AtlasConnectionError || error instanceof AtlasTimeout) && isRepeatable(request)
}
