import { dayMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

/** Many holds are released some days later and never posted, as at hotels and fuel pumps. */
export const lostHolds: Behaviour = {
  name: 'lost holds',
  life(life, random) {
    // A bank holds money that leaves the account; pay that it announced arrives.
    if (life.amountCents <= 0 || life.pendingAt === null || life.postedAt === null || !random.chance(0.3)) return life
    return { ...life, postedAt: null, retractedAt: null, releasedAt: life.pendingAt + random.whole(1, 7) * dayMs }
  }
}
