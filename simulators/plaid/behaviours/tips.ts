import { hourMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

/** Tips change the amount of a pending payment, and once more when it is posted. */
export const tips: Behaviour = {
  name: 'tips',
  life(life, random) {
    if (life.pendingAt === null || life.postedAt === null || life.amountCents <= 0 || !random.chance(0.5)) return life
    const tipped = Math.round(life.amountCents * (1.1 + random.next() * 0.15))
    const revision = {
      stage: 'pending' as const,
      at: life.pendingAt + 8 * hourMs,
      amountCents: tipped,
      primary: life.merchant.primary,
      detail: life.merchant.detail
    }
    return { ...life, revision, postedCents: tipped + (random.chance(0.3) ? random.whole(1, 200) : 0) }
  }
}
