import { directionOf, type DatedTransaction, type Direction } from './bank-transaction.ts'
import { dueDays, fitCadence, usualPeriodDays, type Cadence, type CadenceFit, type Schedule } from './cadence.ts'
import { merchantName } from './merchant-name.ts'
import { mean, median, medianDeviation } from './statistics.ts'

/** All transactions with one merchant on one day. */
export interface Occurrence {
  day: number
  amountCents: number
  transactions: DatedTransaction[]
}

/** A recurring flow, running or ended. */
export interface Stream {
  direction: Direction
  cadence: Cadence
  schedule: Schedule
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
}

/** A cadence is fitted to the newest occurrences only: people change jobs, landlords and billing days. */
const windowOccurrences = 14
const recentWindowOccurrences = 6
const minOccurrences: Record<Cadence, number> = { weekly: 4, biweekly: 3, semimonthly: 4, monthly: 3, yearly: 2 }
/** Two amounts a month apart make a stream when they differ by at most this share; otherwise three are needed. */
const equalAmountShare = 0.02
/** The largest relative median deviation of the amounts of a stream, such as heating bills. */
const maxScatter = 0.6
const steadyScatter = 0.05
/** Amounts with a larger ratio belong to different purchases at one merchant. */
const clusterRatio = 1.12
/** The number of newest transactions of a merchant that are separated by amount. */
const maxMixedGroupLength = 60
/** Separation by amount needs at least three monthly payments. */
const minMixedGroupDays = 55
/** The minimum number of days after a due day before a stream counts as ended. */
const graceDays: Record<Cadence, number> = { weekly: 4, biweekly: 6, semimonthly: 6, monthly: 8, yearly: 20 }

/** Groups occurrences that could be one stream, by account, direction and merchant, without internal transfers. */
export const groupOccurrences = (ordered: readonly DatedTransaction[]): Occurrence[][] => {
  const names = new Map<string, string>()
  const groups = new Map<string, DatedTransaction[]>()
  for (const transaction of ordered) {
    if (transaction.internal || transaction.amountCents === 0) continue
    const name = names.get(transaction.description) ?? merchantName(transaction.description)
    names.set(transaction.description, name)
    const key = `${transaction.accountId}\n${directionOf(transaction.amountCents)}\n${name}`
    const group = groups.get(key)
    if (group) group.push(transaction)
    else groups.set(key, [transaction])
  }
  return [...groups.values()].map(occurrencesOf)
}

const occurrencesOf = (group: readonly DatedTransaction[]): Occurrence[] => {
  const occurrences: Occurrence[] = []
  for (const transaction of group) {
    const last = occurrences.at(-1)
    if (last?.day === transaction.day) {
      last.amountCents += transaction.amountCents
      last.transactions.push(transaction)
    } else occurrences.push({ day: transaction.day, amountCents: transaction.amountCents, transactions: [transaction] })
  }
  return occurrences
}

const scatter = (occurrences: readonly Occurrence[]): number => {
  const amounts = occurrences.map((occurrence) => occurrence.amountCents)
  return medianDeviation(amounts) / Math.max(1, Math.abs(median(amounts)))
}

const isTrusted = (fit: CadenceFit, occurrences: readonly Occurrence[]): boolean => {
  const { cadence } = fit.schedule
  if (cadence === 'monthly' && occurrences.length === 2) {
    const [first, second] = occurrences.map((occurrence) => Math.abs(occurrence.amountCents))
    return Math.abs((first ?? 0) - (second ?? 0)) <= equalAmountShare * Math.max(first ?? 0, second ?? 0)
  }
  return fit.members.length >= minOccurrences[cadence] && scatter(occurrences) <= maxScatter
}

/** The median of the newest three steady amounts, so that a raise shows at the second payment, or else of the newest six. */
const typicalAmountCents = (amounts: readonly number[]): number => {
  const recent = amounts.slice(-recentWindowOccurrences)
  const steady = medianDeviation(recent) <= steadyScatter * Math.abs(median(recent))
  return Math.round(median(steady ? recent.slice(-3) : recent))
}

const toStream = (fit: CadenceFit, window: readonly Occurrence[], older: readonly Occurrence[]): Stream => {
  const members = fit.members.flatMap((index) => window[index] ?? [])
  const amounts = members.map((member) => member.amountCents)
  const amountCents = typicalAmountCents(amounts)
  return {
    direction: directionOf(amountCents),
    cadence: fit.schedule.cadence,
    schedule: fit.schedule,
    amountCents,
    amountSpreadCents: mean(amounts.slice(-8).map((amount) => Math.abs(amount - amountCents))),
    offsets: fit.offsets,
    usualOffset: Math.round(median(fit.offsets)),
    filled: fit.filled,
    lastDay: members.at(-1)?.day ?? 0,
    transactions: [...older, ...members].flatMap((occurrence) => occurrence.transactions)
  }
}

/** Fits all occurrences as one stream: the newest fourteen, or the newest six when the older ones followed another schedule. */
const asOneStream = (occurrences: readonly Occurrence[]): Stream | undefined => {
  for (const length of [windowOccurrences, recentWindowOccurrences]) {
    const window = occurrences.slice(-length)
    const fit = fitCadence(window.map((occurrence) => occurrence.day))
    const whole = length === windowOccurrences || (fit?.members.length === window.length && fit.filled === 1)
    if (fit && whole && isTrusted(fit, window)) return toStream(fit, window, occurrences.slice(0, -length))
    if (occurrences.length <= recentWindowOccurrences) return undefined
  }
  return undefined
}

/** Separates several streams at one merchant by amount, such as two plans, or a membership among purchases. */
const asStreamsByAmount = (occurrences: readonly Occurrence[]): Stream[] => {
  const newest = occurrences.flatMap((occurrence) => occurrence.transactions).slice(-maxMixedGroupLength)
  if ((newest.at(-1)?.day ?? 0) - (newest[0]?.day ?? 0) < minMixedGroupDays) return []
  const byAmount = newest.sort((a, b) => Math.abs(a.amountCents) - Math.abs(b.amountCents))
  const streams: Stream[] = []
  let cluster: DatedTransaction[] = []
  const close = (): void => {
    const alike = cluster.length < 3 ? [] : occurrencesOf(cluster.sort((a, b) => a.day - b.day))
    const credible = alike.length >= 5 || (alike.length >= 3 && scatter(alike) <= equalAmountShare)
    const stream = credible ? asOneStream(alike) : undefined
    if (stream) streams.push(stream)
    cluster = []
  }
  for (const transaction of byAmount) {
    const largest = Math.abs(cluster.at(-1)?.amountCents ?? transaction.amountCents)
    if (Math.abs(transaction.amountCents) > clusterRatio * largest) close()
    cluster.push(transaction)
  }
  close()
  return streams
}

const runTogether = (a: Stream, b: Stream): boolean => {
  const [aFirst, bFirst] = [a.transactions[0]?.day ?? 0, b.transactions[0]?.day ?? 0]
  return Math.min(a.lastDay, b.lastDay) - Math.max(aFirst, bFirst) > usualPeriodDays[a.cadence]
}

/** Finds the streams, running or ended, in the date-ordered occurrences of one group. */
export const findStreams = (occurrences: readonly Occurrence[]): Stream[] => {
  if (occurrences.length < 2) return []
  const whole = asOneStream(occurrences)
  // Two monthly plans together look like one more frequent stream with varying amounts.
  if (whole && (whole.cadence === 'monthly' || whole.cadence === 'yearly' || scatter(occurrences) <= steadyScatter))
    return [whole]
  const parts = asStreamsByAmount(occurrences)
  const [first, second] = parts
  const explained = parts.reduce((sum, part) => sum + part.transactions.length, 0)
  const severalAtOnce = first !== undefined && second !== undefined && runTogether(first, second)
  if (whole && !(severalAtOnce && explained >= 0.8 * Math.min(occurrences.length, maxMixedGroupLength))) return [whole]
  return parts
}

const latestOffset = (stream: Stream): number => Math.max(0, ...stream.offsets)

/**
 * The days on which payments are expected after `asOfDay`, up to `untilDay`; empty when the stream has ended. A slightly late payment
 * is expected tomorrow. A stream ends when a payment is later than ever before plus the grace days.
 */
export const expectedDays = (stream: Stream, asOfDay: number, untilDay: number): number[] => {
  const halfPeriod = Math.floor(usualPeriodDays[stream.cadence] / 2)
  const due = dueDays(stream.schedule, stream.lastDay + halfPeriod, untilDay + halfPeriod)
  const patienceDays = Math.max(2, latestOffset(stream) + 1)
  const skips = stream.filled < 0.97 ? 1 : 0
  const days: number[] = []
  let missed = 0
  for (const dueDay of due) {
    const expected = dueDay + stream.usualOffset
    if (expected > asOfDay) {
      if (expected <= untilDay) days.push(expected)
      continue
    }
    const late = asOfDay + 1 - expected
    if (late <= patienceDays) days.push(asOfDay + 1)
    else if (late > patienceDays + graceDays[stream.cadence]) missed++
    if (missed > skips) return []
  }
  return days
}

/** Whether a payment is later than ever before, so that another stream may have replaced this one. */
export const isOverdue = (stream: Stream, asOfDay: number): boolean => {
  const [nextDue] = dueDays(stream.schedule, stream.lastDay + Math.floor(usualPeriodDays[stream.cadence] / 2), asOfDay)
  return nextDue !== undefined && asOfDay - (nextDue + stream.usualOffset) > Math.max(2, latestOffset(stream) + 1)
}

/** The probability that a payment has arrived `daysAfter` days after its expected day, from past offsets. */
export const arrivedShare = (stream: Stream, daysAfter: number): number => {
  const arrived = stream.offsets.filter((offset) => offset - stream.usualOffset <= daysAfter).length
  // A prior of half a payment, spread over a day early and a day late, avoids certainty for punctual streams.
  const prior = daysAfter >= 1 ? 0.5 : daysAfter >= -1 ? 0.25 : 0
  return (arrived + prior) / (stream.offsets.length + 0.5)
}
