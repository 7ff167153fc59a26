import { shops } from '../history/merchants.ts'
import { postedPayment } from '../history/payments.ts'
import { createSeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

/** Purchases that are refunded in full or in part three to twelve days later, on the same card. */
export const refunds: Behaviour = {
  name: 'refunds',
  lives(seed, day) {
    const random = createSeededRandom(`${seed}|refunds|${day}`)
    if (!random.chance(0.12)) return []
    const merchant = random.pick(shops)
    const amount = random.whole(1_500, 20_000)
    const back = random.chance(0.6) ? amount : random.whole(500, amount)
    const line = `${merchant.line.trim()} REFUND`
    return [
      postedPayment(`bought-${day}`, '3333', merchant, amount, day),
      postedPayment(`refund-${day}`, '3333', merchant, -back, day + random.whole(3, 12), { line })
    ]
  }
}
