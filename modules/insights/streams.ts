import { directionOf, type DatedTransaction, type Direction } from './bank-transaction.ts'
import { fitCadence } from './cadence.ts'
import { isKnownBill, isKnownIncome } from './kinds.ts'
import { scatter, type Occurrence } from './occurrences.ts'
import { cadenceOf, periodDaysOf, type Cadence, type Schedule } from './schedule.ts'
import type { CadenceFit } from './schedule-fit.ts'
import { mean, median, medianDeviation } from './statistics.ts'

/** A recurring flow, running or ended. */
export interface Stream {
  direction: Direction
  cadence: Cadence
  /** The number of weeks or months between two due days. */
  interval: number
  schedule: Schedule
  /** Usual number of days between two due days. */
  periodDays: number
  /** Typical amount, positive when money leaves the account. */
  amountCents: number
  /** Mean distance of the recent amounts from the typical one. */
  amountSpreadCents: number
  /** Days late (negative: early) of each occurrence that matches the schedule. */
  offsets: number[]
  /** The median of the offsets; usually 0, because schedules are fitted that way. */
  usualOffset: number
  /** Share of due days with an occurrence. */
  filled: number
  lastDay: number
  transactions: DatedTransaction[]
  /** Two payments of a known kind of bill are believed to recur. */
  isAssumed: boolean
}

/** A cadence is fitted to the newest occurrences only: people change jobs, landlords and billing days. */
export const windowOccurrences = 14
const recentWindowOccurrences = 6
const minOccurrences: Record<Cadence, number> = {
  weekly: 4,
  biweekly: 3,
  every_n_weeks: 4,
  semimonthly: 4,
  monthly: 3,
  every_n_months: 3,
  yearly: 3
}
/** Two payments of pay, a month apart, make a stream when they differ by at most this share. */
const equalAmountShare = 0.05
/** Two payments of a known bill make a stream up to this ratio. */
const likeAmountRatio = 1.7
/** The largest relative median deviation of the amounts of a stream, such as heating bills. */
const maxScatter = 0.6
/** Few payments months apart need like amounts, unless they are a known bill. */
const maxSparseScatter = 0.15
export const steadyScatter = 0.05

/** Whether two occurrences are enough: never by themselves, but a known bill is due again. */
const isTrustedPair = (fit: CadenceFit, occurrences: readonly Occurrence[]): boolean => {
  const { cadence } = cadenceOf(fit.schedule)
  if (fit.members.length < 2 || !(cadence === 'monthly' || cadence === 'every_n_months' || cadence === 'yearly'))
    return false
  const [smaller = 0, larger = 0] = occurrences.map(({ amountCents }) => Math.abs(amountCents)).sort((a, b) => a - b)
  const transactions = occurrences.flatMap((occurrence) => occurrence.transactions)
  const isOutflow = (transactions[0]?.amountCents ?? 0) > 0
  if (isOutflow) return larger <= likeAmountRatio * smaller && transactions.every(isKnownBill)
  return cadence === 'monthly' && larger <= (1 + equalAmountShare) * smaller && transactions.every(isKnownIncome)
}

const isTrusted = (fit: CadenceFit, occurrences: readonly Occurrence[]): boolean => {
  if (occurrences.length === 2) return isTrustedPair(fit, occurrences)
  const { cadence } = cadenceOf(fit.schedule)
  if (fit.members.length < minOccurrences[cadence]) return false
  const isSparse = occurrences.length < 4 && (cadence === 'every_n_months' || cadence === 'yearly')
  return scatter(occurrences) <= (isSparse && !isBill(occurrences) ? maxSparseScatter : maxScatter)
}

/** The median of the newest three steady amounts, so that a raise shows at the second payment, or else of the newest six. */
const typicalAmountCents = (amounts: readonly number[]): number => {
  const recent = amounts.slice(-recentWindowOccurrences)
  const steady = medianDeviation(recent) <= steadyScatter * Math.abs(median(recent))
  return Math.round(median(steady ? recent.slice(-3) : recent))
}

/** Makes a stream of the occurrences of a fit, and of older ones that followed another schedule. */
export const toStream = (fit: CadenceFit, window: readonly Occurrence[], older: readonly Occurrence[]): Stream => {
  const members = fit.members.flatMap((index) => window[index] ?? [])
  const amounts = members.map((member) => member.amountCents)
  const amountCents = typicalAmountCents(amounts)
  return {
    direction: directionOf(amountCents),
    ...cadenceOf(fit.schedule),
    schedule: fit.schedule,
    periodDays: periodDaysOf(fit.schedule),
    amountCents,
    amountSpreadCents: mean(amounts.slice(-8).map((amount) => Math.abs(amount - amountCents))),
    offsets: fit.offsets,
    usualOffset: Math.round(median(fit.offsets)),
    filled: fit.filled,
    lastDay: members.at(-1)?.day ?? 0,
    transactions: [...older, ...members].flatMap((occurrence) => occurrence.transactions),
    isAssumed: members.length + older.length <= 2
  }
}

/** Known bills recur although they are late more often than other payments. */
const billLeniency = 1.5

const isBill = (occurrences: readonly Occurrence[]): boolean =>
  occurrences.every(({ transactions }) => transactions.every(isKnownBill))

/** Counts a latest payment that came too late or too early for the schedule: what was due then is paid. */
const withLatestPayment = (stream: Stream, latest: Occurrence | undefined): Stream => {
  if (latest === undefined || latest.day <= stream.lastDay) return stream
  const ratio = latest.amountCents / stream.amountCents
  if (ratio > likeAmountRatio || ratio < 1 / likeAmountRatio) return stream
  return { ...stream, lastDay: latest.day, transactions: [...stream.transactions, ...latest.transactions] }
}

/** Fits all occurrences as one stream: the newest fourteen, or the newest six when the older ones followed another schedule. */
export const asOneStream = (occurrences: readonly Occurrence[]): Stream | undefined => {
  for (const length of [windowOccurrences, recentWindowOccurrences]) {
    const window = occurrences.slice(-length)
    const days = window.map((occurrence) => occurrence.day)
    const fit = fitCadence(days) ?? (isBill(window) ? fitCadence(days, billLeniency) : undefined)
    const whole = length === windowOccurrences || (fit?.members.length === window.length && fit.filled === 1)
    if (fit && whole && isTrusted(fit, window))
      return withLatestPayment(toStream(fit, window, occurrences.slice(0, -length)), window.at(-1))
    if (occurrences.length <= recentWindowOccurrences) return undefined
  }
  return undefined
}
