const secondMs = 1_000
const hourMs = 3_600_000

/** Delays after the first, second, … failed attempt; later attempts follow hourly. */
const delaysMs = [1 * secondMs, 5 * secondMs, 25 * secondMs, 120 * secondMs, 600 * secondMs, hourMs]

/** A delivery fails for good this long after its first attempt. */
export const giveUpAfterMs = 24 * hourMs

/** An endpoint is disabled when all its deliveries have failed for this long. */
export const disableAfterMs = 5 * 24 * hourMs

export interface Progress {
  /** The number of failed attempts, 1 or more. */
  tries: number
  firstTriedAt: Date
  /** The delay that the receiver asked for in Retry-After. */
  retryAfterMs?: number | undefined
}

/**
 * When to retry a delivery; undefined when it has failed for good. Retry-After can delay the attempt within the 24 hours of the schedule, and never brings it forward.
 */
export const nextAttemptAt = ({ tries, firstTriedAt, retryAfterMs = 0 }: Progress, now: Date): Date | undefined => {
  const latest = firstTriedAt.getTime() + giveUpAfterMs
  const scheduled = now.getTime() + (delaysMs[tries - 1] ?? hourMs)
  if (scheduled > latest) return undefined
  return new Date(Math.min(Math.max(scheduled, now.getTime() + retryAfterMs), latest))
}

export type DeliveryState =
  | { status: 'succeeded' | 'failed'; settledAt: Date; nextAttemptAt: null }
  | { status: 'pending'; settledAt: null; nextAttemptAt: Date }

/** The state of a delivery after an attempt, which `tries` includes. */
export const stateAfterAttempt = (isDelivered: boolean, progress: Progress, now: Date): DeliveryState => {
  if (isDelivered) return { status: 'succeeded', settledAt: now, nextAttemptAt: null }
  const next = nextAttemptAt(progress, now)
  return next === undefined
    ? { status: 'failed', settledAt: now, nextAttemptAt: null }
    : { status: 'pending', settledAt: null, nextAttemptAt: next }
}
