import { calendarOf } from '../history/days.ts'
import { biller, postedPayment } from '../history/payments.ts'
import type { Merchant } from '../history/merchants.ts'
import { createSeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

interface Monthly {
  merchant: Merchant
  everyMonths: number
}

const bills: Monthly[] = [
  { merchant: biller('Riverside Water Board', 'RIVERSIDE WATER BOARD', 'RENT_AND_UTILITIES', 'WATER'), everyMonths: 3 },
  { merchant: biller('Beacon Home Insurance'), everyMonths: 6 },
  {
    merchant: biller('County Property Tax', 'COUNTY PROPERTY TAX', 'GOVERNMENT_AND_NON_PROFIT', 'TAX_PAYMENT'),
    everyMonths: 12
  }
]

const cleaner = biller('Brightside Cleaning', 'BRIGHTSIDE CLEANING', 'GENERAL_SERVICES', 'OTHER_GENERAL_SERVICES')
const lessons = biller('Corner Music School', 'CORNER MUSIC SCHOOL', 'GENERAL_SERVICES', 'EDUCATION')

/** Bills every three, six and twelve months, and every three and five weeks. */
export const sparseBills: Behaviour = {
  name: 'sparse bills',
  lives(seed, day) {
    const random = createSeededRandom(`${seed}|sparse bills`)
    const { month, dayOfMonth } = calendarOf(day)
    const lives = []
    for (const [index, { merchant, everyMonths }] of bills.entries()) {
      const due = random.whole(1, 28)
      const offset = random.whole(0, everyMonths - 1)
      const amount = random.whole(8_000, 60_000)
      if (dayOfMonth === due && month % everyMonths === offset)
        lives.push(postedPayment(`sparse-${index}-${day}`, '0000', merchant, amount, day))
    }
    for (const [merchant, weeks] of [
      [cleaner, 3],
      [lessons, 5]
    ] as const) {
      const offset = random.whole(0, weeks * 7 - 1)
      const amount = random.whole(4_000, 12_000)
      if (day % (weeks * 7) === offset)
        lives.push(postedPayment(`weeks-${weeks}-${day}`, '0000', merchant, amount, day))
    }
    return lives
  }
}
