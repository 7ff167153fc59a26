import { createSeededRandom } from '../random.ts'
import * as places from './merchants.ts'
import type { Merchant } from './merchants.ts'

/** A monthly payment. */
export interface Standing {
  merchant: Merchant
  dayOfMonth: number
  amountCents: number
}

export interface Town {
  city: string
  region: string
  postalCode: string
  lat: number
  lon: number
}

/** The habits of the person behind an item. */
export interface Profile {
  employer: Merchant
  salaryCents: number
  /** The week of a fortnight that has the payday. */
  payWeek: 0 | 1
  rent: Standing
  electric: Standing
  gas: Standing
  water: Standing
  /** Fixed bills, paid from checking. */
  bills: Standing[]
  /** Subscriptions on the credit card. */
  subscriptions: Standing[]
  groceries: Merchant[]
  coffee: Merchant
  drives: boolean
  fuel: Merchant
  savingsCents: number
  cardPayment: Standing
  studentLoan: Standing
  town: Town
}

const towns: readonly Town[] = [
  { city: 'San Francisco', region: 'CA', postalCode: '94103', lat: 37.7725, lon: -122.4147 },
  { city: 'Portland', region: 'OR', postalCode: '97205', lat: 45.5202, lon: -122.6842 },
  { city: 'Columbus', region: 'OH', postalCode: '43215', lat: 39.9653, lon: -83.0023 },
  { city: 'Raleigh', region: 'NC', postalCode: '27601', lat: 35.7732, lon: -78.6342 },
  { city: 'Denver', region: 'CO', postalCode: '80205', lat: 39.7589, lon: -104.9662 }
]

/** The person that a seed stands for. */
export const profileOf = (seed: string): Profile => {
  const random = createSeededRandom(`${seed}|profile`)
  const standing = (
    choices: readonly Merchant[],
    minCents: number,
    maxCents: number,
    firstDay = 3,
    lastDay = 26
  ): Standing => ({
    merchant: random.pick(choices),
    dayOfMonth: random.whole(firstDay, lastDay),
    amountCents: random.whole(minCents, maxCents)
  })
  const priced = (merchant: Merchant): Standing => ({
    merchant,
    dayOfMonth: random.whole(2, 28),
    amountCents: random.whole(merchant.minCents, merchant.maxCents)
  })
  const salaryCents = random.whole(185_000, 310_000)
  return {
    employer: random.pick(places.employers),
    salaryCents,
    payWeek: random.chance(0.5) ? 1 : 0,
    rent: {
      ...standing(places.landlords, 0, 0),
      dayOfMonth: 1,
      amountCents: Math.round((salaryCents * (0.48 + random.next() * 0.16)) / 500) * 500
    },
    electric: standing(places.electric, 5_500, 9_500),
    gas: standing(places.gas, 2_500, 5_000),
    water: standing(places.water, 2_800, 4_600),
    bills: [
      priced(random.pick(places.internet)),
      priced(random.pick(places.phone)),
      priced(random.pick(places.insurers))
    ],
    subscriptions: [
      ...places.subscriptions.filter(() => random.chance(0.6)).map(priced),
      ...(random.chance(0.5) ? [priced(random.pick(places.gyms))] : [])
    ],
    groceries: [random.pick(places.groceries), random.pick(places.groceries), random.pick(places.groceries)],
    coffee: random.pick(places.coffee),
    drives: random.chance(0.7),
    fuel: random.pick(places.fuel),
    savingsCents: random.whole(4, 16) * 2_500,
    cardPayment: standing([places.bankOwn.cardPayment], 32_000, 61_000, 18, 25),
    studentLoan: standing([places.bankOwn.studentLoan], 21_000, 34_000, 10, 20),
    town: random.pick(towns)
  }
}
