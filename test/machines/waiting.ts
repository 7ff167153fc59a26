import { setTimeout as delay } from 'node:timers/promises'

const deadlineMs = 180_000

/**
 * Resolves when `ready` says so, asking again and again.
 * @throws Error when it has not said so for three minutes, or for `limitMs`.
 */
export const until = async (
  what: string,
  ready: () => Promise<boolean> | boolean,
  limitMs = deadlineMs
): Promise<void> => {
  const endsAt = performance.now() + limitMs
  while (!(await ready())) {
    if (performance.now() > endsAt) throw new Error(`Waited in vain until ${what}.`)
    await delay(50)
  }
}
