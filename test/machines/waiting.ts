import { setTimeout as delay } from 'node:timers/promises'

const deadlineMs = 180_000

/**
 * Polls `ready` and resolves when it returns true.
 * @throws Error after three minutes, or after `limitMs`.
 */
export const until = async (
  what: string,
  ready: () => Promise<boolean> | boolean,
  limitMs = deadlineMs
): Promise<void> => {
  const endsAt = performance.now() + limitMs
  while (!(await ready())) {
    if (performance.now() > endsAt) throw new Error(`Timed out waiting until ${what}.`)
    await delay(50)
  }
}
