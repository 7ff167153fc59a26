import { dayMs } from '../history/days.ts'
import { biller, postedPayment } from '../history/payments.ts'
import { createSeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

const payee = biller('Standing Order Energy', 'STANDING ORDER ENERGY', 'RENT_AND_UTILITIES', 'GAS_AND_ELECTRICITY')

/** Announced debits are pending days before the date that they carry. */
export const futurePending: Behaviour = {
  name: 'future pending',
  lives(seed, day) {
    const random = createSeededRandom(`${seed}|future pending|${day}`)
    if (!random.chance(0.1)) return []
    const dated = day + random.whole(2, 6)
    const life = postedPayment(`announced-${day}`, '0000', payee, random.whole(2_000, 15_000), dated)
    return [{ ...life, pendingAt: day * dayMs }]
  }
}
