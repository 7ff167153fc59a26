const secondMs = 1_000
const hourMs = 3_600_000

/** How long to wait after the first, second, … failed attempt; after the last of these hourly. */
const stepsMs = [1 * secondMs, 5 * secondMs, 25 * secondMs, 120 * secondMs, 600 * secondMs, hourMs]

/** A delivery is given up when this long has passed since its first attempt. */
export const giveUpAfterMs = 24 * hourMs

/** An endpoint that only failed for this long is disabled. */
export const disableAfterMs = 5 * 24 * hourMs

/** The old secret signs for this long after a rotation. */
export const rotationOverlapMs = 24 * hourMs

/**
 * When to try again.
 * @param tries the attempts made so far, 1 or more, all of them failed.
 * @returns undefined when the delivery is to be given up.
 */
export const nextAttemptAt = (tries: number, firstTriedAt: Date, now: Date): Date | undefined => {
  const next = now.getTime() + (stepsMs[tries - 1] ?? hourMs)
  return next <= firstTriedAt.getTime() + giveUpAfterMs ? new Date(next) : undefined
}
