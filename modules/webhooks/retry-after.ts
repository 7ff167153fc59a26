import { DateTime } from 'luxon'

/** The longest delay that a receiver can ask for: one hour. */
export const maxRetryAfterMs = 3_600_000

/** Reads Retry-After, in seconds or as an HTTP date, as a delay of at most an hour; undefined when it is neither or in the past. */
export const readRetryAfter = (value: string | undefined, now: Date): number | undefined => {
  const text = value?.trim() ?? ''
  const date = DateTime.fromHTTP(text)
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1_000 : date.isValid ? date.toMillis() - now.getTime() : 0
  return delayMs > 0 ? Math.min(delayMs, maxRetryAfterMs) : undefined
}
