import { biller, postedPayment } from '../history/payments.ts'
import { createSeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

/** Pockets in currencies with two, no and three decimals. Amounts of payments are in minor units. */
const pockets = [
  { currency: 'EUR', balance: 812.4, low: 300, high: 9_000 },
  { currency: 'JPY', balance: 184_003, low: 300, high: 25_000 },
  { currency: 'KWD', balance: 91.275, low: 250, high: 40_000 }
]

const shop = biller('Airport Shop', 'AIRPORT SHOP', 'GENERAL_MERCHANDISE', 'OTHER_GENERAL_MERCHANDISE')

/** Checking accounts in several currencies, with payments in each. */
export const currencies: Behaviour = {
  name: 'currencies',
  accounts: (accounts) => [
    ...accounts,
    ...pockets.map(({ currency, balance }) => ({
      key: currency,
      mask: `8${currency}`.slice(0, 4),
      name: `${currency} Pocket`,
      officialName: null,
      type: 'depository' as const,
      subtype: 'checking',
      available: balance,
      current: balance,
      limit: null,
      currency
    }))
  ],
  lives: (seed, day) =>
    pockets.flatMap(({ currency, low, high }) => {
      const random = createSeededRandom(`${seed}|${currency}|${day}`)
      if (!random.chance(0.15)) return []
      const amount = random.whole(low, high) * (random.chance(0.2) ? -1 : 1)
      return [postedPayment(`${currency}-${day}`, currency, shop, amount, day)]
    })
}
