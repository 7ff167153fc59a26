const secondMs = 1_000
const hourMs = 3_600_000

/** Delays after the first, second, … failed attempt; later attempts follow hourly. */
const delaysMs = [1 * secondMs, 5 * secondMs, 25 * secondMs, 120 * secondMs, 600 * secondMs, hourMs]

/** A delivery fails for good this long after its first attempt. */
export const giveUpAfterMs = 24 * hourMs

/** An endpoint is disabled when all its deliveries have failed for this long. */
export const disableAfterMs = 5 * 24 * hourMs

/**
 * When to retry a delivery; undefined when it has failed for good.
 * @param tries the number of failed attempts, 1 or more.
 */
export const nextAttemptAt = (tries: number, firstTriedAt: Date, now: Date): Date | undefined => {
  const next = now.getTime() + (delaysMs[tries - 1] ?? hourMs)
  return next <= firstTriedAt.getTime() + giveUpAfterMs ? new Date(next) : undefined
}

export type DeliveryState =
  | { status: 'succeeded' | 'failed'; settledAt: Date; nextAttemptAt: null }
  | { status: 'pending'; settledAt: null; nextAttemptAt: Date }

/** The state of a delivery after an attempt, which `tries` includes. */
export const stateAfterAttempt = (
  isDelivered: boolean,
  { tries, firstTriedAt }: { tries: number; firstTriedAt: Date },
  now: Date
): DeliveryState => {
  if (isDelivered) return { status: 'succeeded', settledAt: now, nextAttemptAt: null }
  const next = nextAttemptAt(tries, firstTriedAt, now)
  return next === undefined
    ? { status: 'failed', settledAt: now, nextAttemptAt: null }
    : { status: 'pending', settledAt: null, nextAttemptAt: next }
}
