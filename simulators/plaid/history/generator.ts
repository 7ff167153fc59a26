import { createSeededRandom } from '../random.ts'
import type { SeededRandom } from '../random.ts'
import { addBusinessDays, calendarOf, dayMs, hourMs, weekdayOf } from './days.ts'
import type { Life } from './life.ts'
import * as places from './merchants.ts'
import type { Merchant } from './merchants.ts'
import { postedPayment } from './payments.ts'
import type { Profile, Standing } from './profile.ts'

const checking = '0000'
const saving = '1111'
const certificate = '2222'
const card = '3333'
const moneyMarket = '4444'
const studentLoan = '7777'

/** A day under construction. Its random choices depend on seed and day only, not on other days. */
interface Day {
  day: number
  profile: Profile
  random: SeededRandom
  lives: Life[]
}

/** The payments that a person's accounts begin on one day (days since 1970-01-01, UTC), with their later changes. */
export const livesOfDay = (seed: string, profile: Profile, day: number): Life[] => {
  const context: Day = { day, profile, random: createSeededRandom(`${seed}|day|${day}`), lives: [] }
  income(context)
  household(context)
  transfers(context)
  everyday(context)
  occasional(context)
  return context.lives
}

/** A few card payments at one moment, for the sandbox's request for new transactions. */
export const livesOfBatch = (seed: string, profile: Profile, ordinal: number, firedAt: number): Life[] => {
  const context: Day = {
    day: Math.floor(firedAt / dayMs),
    profile,
    random: createSeededRandom(`${seed}|batch|${ordinal}`),
    lives: []
  }
  const choices = [...profile.groceries, profile.coffee, ...places.restaurants, ...places.shops, ...places.fastFood]
  for (let left = context.random.whole(3, 6); left > 0; left--) purchase(context, context.random.pick(choices))
  return context.lives.map((life, index) => ({
    ...life,
    key: `b${ordinal}-${index}`,
    authorizedAt: firedAt,
    pendingAt: firedAt,
    revision: life.revision?.stage === 'pending' ? { ...life.revision, at: firedAt + 8 * hourMs } : life.revision
  }))
}

const add = (context: Day, mask: string, merchant: Merchant, amountCents: number, life: Partial<Life> = {}): Life => {
  const made = postedPayment(`${context.day}-${context.lives.length}`, mask, merchant, amountCents, context.day, life)
  context.lives.push(made)
  return made
}

/** A salary is pending the day before payday (every other Friday). Interest is posted at the end of the month. */
const income = (context: Day): void => {
  const { day, profile, random } = context
  const fortnight = Math.floor((day + 4) / 7) % 2
  if (weekdayOf(day) === 4 && fortnight === profile.payWeek) {
    const amountCents = -(profile.salaryCents + (random.chance(0.12) ? random.whole(4_000, 22_000) : 0))
    const payday = (day + 1) * dayMs + 10 * hourMs
    add(context, checking, profile.employer, amountCents, { pendingAt: day * dayMs + 18 * hourMs, postedAt: payday })
  }
  const { dayOfMonth, daysInMonth } = calendarOf(day)
  if (dayOfMonth !== daysInMonth) return
  add(context, saving, places.bankOwn.interest, -random.whole(2, 9))
  add(context, moneyMarket, places.bankOwn.interest, -random.whole(6_200, 6_900))
  add(context, certificate, places.bankOwn.interest, -random.whole(15, 19))
  if (random.chance(0.3)) add(context, card, places.bankOwn.cardInterest, random.whole(380, 1_450))
}

/** Heating peaks in January, cooling in July; both as a factor around 1. */
const seasonal = (month: number, peakMonth: number, swing: number) =>
  1 + swing * Math.cos(((month - peakMonth) / 12) * 2 * Math.PI)

const household = (context: Day): void => {
  const { day, profile, random } = context
  const { month, dayOfMonth } = calendarOf(day)
  const due = (standing: Standing) => standing.dayOfMonth === dayOfMonth
  const metered = (standing: Standing, factor: number) => {
    if (due(standing))
      add(
        context,
        checking,
        standing.merchant,
        Math.round(standing.amountCents * factor * (0.92 + random.next() * 0.16))
      )
  }
  if (due(profile.rent)) add(context, checking, profile.rent.merchant, profile.rent.amountCents)
  metered(profile.electric, seasonal(month, 7, 0.35))
  metered(profile.gas, seasonal(month, 1, 0.7))
  metered(profile.water, seasonal(month, 7, 0.15))
  for (const bill of profile.bills) if (due(bill)) add(context, checking, bill.merchant, bill.amountCents)
  for (const subscription of profile.subscriptions) {
    if (due(subscription)) cardPayment(context, subscription.merchant, subscription.amountCents, card)
  }
}

/** Transfers between a person's own accounts: two transactions each, one per account. */
const transfers = (context: Day): void => {
  const { day, profile, random } = context
  const { dayOfMonth } = calendarOf(day)
  const pair = (from: Merchant, to: Merchant, target: string, amountCents: number) => {
    add(context, checking, from, amountCents)
    add(context, target, to, -amountCents)
  }
  const fortnight = Math.floor((day + 1) / 7) % 2
  if (weekdayOf(day) === 1 && fortnight === profile.payWeek) {
    pair(places.bankOwn.savingsOut, places.bankOwn.savingsIn, saving, profile.savingsCents)
  }
  if (dayOfMonth === profile.cardPayment.dayOfMonth) {
    const amountCents = Math.round(profile.cardPayment.amountCents * (0.75 + random.next() * 0.5))
    pair(places.bankOwn.cardPayment, places.bankOwn.cardPaymentReceived, card, amountCents)
  }
  if (dayOfMonth === profile.studentLoan.dayOfMonth) {
    pair(places.bankOwn.studentLoan, places.bankOwn.studentLoanReceived, studentLoan, profile.studentLoan.amountCents)
  }
}

/** Purchases whose probability depends on the weekday: groceries at weekends, coffee on working days, restaurants on Fridays. */
const everyday = (context: Day): void => {
  const { day, profile, random } = context
  const weekday = weekdayOf(day)
  const weekend = weekday === 0 || weekday === 6
  if (random.chance(weekend ? 0.62 : 0.2)) purchase(context, random.pick(profile.groceries))
  if (random.chance(weekend ? 0.25 : 0.42)) purchase(context, profile.coffee)
  if (random.chance(weekday === 5 || weekday === 6 ? 0.5 : 0.14)) purchase(context, random.pick(places.restaurants))
  if (random.chance(0.16)) purchase(context, random.pick(places.fastFood))
  if (profile.drives && random.chance(weekday === 1 || weekday === 6 ? 0.35 : 0.07)) purchase(context, profile.fuel)
  if (!profile.drives && random.chance(weekend ? 0.2 : 0.45)) purchase(context, random.pick(places.rides))
}

const occasional = (context: Day): void => {
  const { random } = context
  if (random.chance(0.28)) purchase(context, random.pick(places.shops))
  if (random.chance(weekdayOf(context.day) === 6 ? 0.3 : 0.05)) purchase(context, random.pick(places.leisure))
  if (random.chance(0.012)) purchase(context, random.pick(places.journeys))
}

const purchase = (context: Day, merchant: Merchant): void => {
  const { random } = context
  // Squared, so that small amounts are common and large ones are rare.
  const amountCents = merchant.minCents + Math.round((merchant.maxCents - merchant.minCents) * random.next() ** 2)
  cardPayment(context, merchant, amountCents, random.chance(0.55) ? card : checking)
}

/** A card payment: pending within hours, posted one to three business days later, sometimes changed or released in between. */
const cardPayment = (context: Day, merchant: Merchant, amountCents: number, mask: string): void => {
  const { day, random } = context
  const authorizedAt = day * dayMs + random.whole(8 * 60, 22 * 60) * 60_000
  const pendingAt = authorizedAt + random.whole(5, 180) * 60_000
  const postedAt = addBusinessDays(day + 1, random.whole(1, 2)) * dayMs + 10 * hourMs
  const line = /[# ]$| [FG]$/.test(merchant.line) ? `${merchant.line}${random.whole(100, 9_999)}` : merchant.line
  const life = add(context, mask, merchant, amountCents, { authorizedAt, pendingAt, postedAt, line })
  const fate = random.next()
  const tips = merchant.detail === 'RESTAURANT'
  if (tips && fate < 0.55) life.postedCents = Math.round(amountCents * (1.15 + random.next() * 0.1))
  const revise = (
    stage: 'pending' | 'posted',
    at: number,
    cents: number,
    primary = merchant.primary,
    detail = merchant.detail
  ) => {
    life.revision = { stage, at, amountCents: cents, primary, detail }
  }
  if (tips && fate < 0.2) revise('pending', pendingAt + 8 * hourMs, life.postedCents)
  if (fate >= 0.6 && fate < 0.64)
    revise('posted', postedAt + dayMs, life.postedCents, 'GENERAL_MERCHANDISE', 'OTHER_GENERAL_MERCHANDISE')
  if (fate >= 0.7 && fate < 0.715) Object.assign(life, { postedAt: null, releasedAt: postedAt })
  if (fate >= 0.8 && fate < 0.807) life.retractedAt = postedAt + 2 * dayMs
}
