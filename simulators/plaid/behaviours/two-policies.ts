import { calendarOf } from '../history/days.ts'
import { biller, postedPayment } from '../history/payments.ts'
import { createSeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

const insurer = biller('Harbor Mutual', 'HARBOR MUTUAL PREMIUM')

/** Two monthly policies at one insurer, with amounts and days of their own. */
export const twoPolicies: Behaviour = {
  name: 'two policies',
  lives(seed, day) {
    const random = createSeededRandom(`${seed}|two policies`)
    const { dayOfMonth } = calendarOf(day)
    return [0, 1].flatMap((policy) => {
      const due = random.whole(1, 28)
      const amount = random.whole(3_000, 19_000)
      return dayOfMonth === due ? [postedPayment(`policy-${policy}-${day}`, '0000', insurer, amount, day)] : []
    })
  }
}
