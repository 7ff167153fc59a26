import { dayMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

/** Payments without a card terminal arrive up to two days early or five days late. */
export const lateBills: Behaviour = {
  name: 'late bills',
  life(life, random) {
    if (life.pendingAt !== null || life.postedAt === null || !random.chance(0.4)) return life
    const shift = random.whole(-2, 5) * dayMs
    return { ...life, authorizedAt: life.authorizedAt + shift, postedAt: life.postedAt + shift }
  }
}
