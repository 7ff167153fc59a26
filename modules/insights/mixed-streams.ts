import type { DatedTransaction } from './bank-transaction.ts'
import { yearMonthOfDay } from './civil-date.ts'
import { isKnownBill } from './kinds.ts'
import { occurrencesOf, scatter, type Occurrence } from './occurrences.ts'
import type { Schedule } from './schedule.ts'
import { fitSchedule, type CadenceFit } from './schedule-fit.ts'
import { asOneStream, steadyScatter, toStream, windowOccurrences, type Stream } from './streams.ts'

const equalAmountShare = 0.02
/** Amounts with a larger ratio belong to different purchases at one merchant. */
const clusterRatio = 1.12
/** The number of newest transactions of a merchant that are separated. */
const maxMixedGroupLength = 60
/** Separation needs at least three monthly payments. */
const minMixedGroupDays = 55
/** A stream that is taken out of a mix comes within so many days of its day. */
const strictMissDays = 2

/** The schedules that could run through one payment of a mix, the most frequent first. */
const schedulesThrough = (day: number): Schedule[] => {
  const { monthIndex, dayOfMonth } = yearMonthOfDay(day)
  return [1, 3, 6, 12].flatMap((everyMonths) =>
    ([0, 1, -1] as const).map((roll): Schedule => ({
      kind: 'month-days',
      everyMonths,
      phase: monthIndex,
      daysOfMonth: [dayOfMonth],
      roll
    }))
  )
}

/** Whether a fit is a stream of its own: on time, without gaps, and at least three times, or twice for a known bill by the year. */
const isSeparate = (fit: CadenceFit, alike: readonly Occurrence[]): boolean => {
  const members = fit.members.flatMap((index) => alike[index] ?? [])
  const isBill = members.every(({ transactions }) => transactions.every(isKnownBill))
  const isYearly = fit.schedule.kind === 'month-days' && fit.schedule.everyMonths === 12
  return fit.filled === 1 && fit.meanMissDays <= strictMissDays && members.length >= (isBill && isYearly ? 2 : 3)
}

/** Streams that are taken out of a mix explain at least this share of it; less would be chance. */
const minExplained = 0.8
const maxStreams = 4

/** Takes streams out of like amounts one by one, by their days: two yearly policies at one insurer. */
const asStreamsByDay = (alike: readonly Occurrence[]): Stream[] => {
  const streams: Stream[] = []
  let rest = [...alike]
  while (rest.length >= 2 && streams.length < maxStreams) {
    const days = rest.map(({ day }) => day)
    let best: CadenceFit | undefined
    for (const day of new Set(days.slice(-12))) {
      for (const schedule of schedulesThrough(day)) {
        const fit = fitSchedule(schedule, days)
        if (isSeparate(fit, rest) && fit.members.length > (best?.members.length ?? 0)) best = fit
      }
    }
    if (best === undefined) break
    streams.push(toStream(best, rest, []))
    const taken = new Set(best.members)
    rest = rest.filter((_, index) => !taken.has(index))
  }
  return rest.length <= (1 - minExplained) * alike.length ? streams : []
}

/** The streams in a cluster of like amounts. */
const streamsOfCluster = (cluster: readonly DatedTransaction[]): Stream[] => {
  const alike = occurrencesOf([...cluster].sort((a, b) => a.day - b.day))
  if (alike.length < 2) return []
  const isCredible = alike.length >= 5 || scatter(alike) <= equalAmountShare || cluster.every(isKnownBill)
  const one = isCredible ? asOneStream(alike) : undefined
  if (one) return [one]
  return cluster.every(isKnownBill) || scatter(alike) <= equalAmountShare ? asStreamsByDay(alike) : []
}

/** Separates several streams at one merchant by amount, and like amounts by day: two plans, or a membership among purchases. */
export const asSeveralStreams = (occurrences: readonly Occurrence[]): Stream[] => {
  const newest = occurrences.flatMap((occurrence) => occurrence.transactions).slice(-maxMixedGroupLength)
  if ((newest.at(-1)?.day ?? 0) - (newest[0]?.day ?? 0) < minMixedGroupDays) return []
  const byAmount = newest.sort((a, b) => Math.abs(a.amountCents) - Math.abs(b.amountCents))
  const clusters: DatedTransaction[][] = []
  for (const transaction of byAmount) {
    const cluster = clusters.at(-1)
    const largest = Math.abs(cluster?.at(-1)?.amountCents ?? 0)
    if (cluster && Math.abs(transaction.amountCents) <= clusterRatio * largest) cluster.push(transaction)
    else clusters.push([transaction])
  }
  return clusters.flatMap(streamsOfCluster)
}

const runTogether = (a: Stream, b: Stream): boolean => {
  const [aFirst, bFirst] = [a.transactions[0]?.day ?? 0, b.transactions[0]?.day ?? 0]
  return Math.min(a.lastDay, b.lastDay) - Math.max(aFirst, bFirst) > a.periodDays
}

const countOf = (streams: readonly Stream[]): number =>
  streams.reduce((sum, { transactions }) => sum + transactions.length, 0)

/** The newest payments that one stream of a merchant leaves over, by id. */
const leftOverBy = (whole: Stream, occurrences: readonly Occurrence[]): Set<string> => {
  const ids = new Set(whole.transactions.map(({ transactionId }) => transactionId))
  const newest = occurrences.slice(-windowOccurrences).flatMap(({ transactions }) => transactions)
  return new Set(newest.flatMap(({ transactionId }) => (ids.has(transactionId) ? [] : [transactionId])))
}

/**
 * A second stream beside the steady one of a merchant, such as a yearly payment to an insurer that is paid monthly, too. Its latest
 * payment is one that the steady stream leaves over: a bill that changes with the season is one stream.
 */
const besideSteady = (whole: Stream, occurrences: readonly Occurrence[]): Stream[] => {
  const leftOver = leftOverBy(whole, occurrences)
  if (leftOver.size === 0) return [whole]
  const typical = Math.abs(whole.amountCents)
  const isTypical = ({ amountCents }: Occurrence) =>
    Math.abs(amountCents) <= clusterRatio * typical && typical <= clusterRatio * Math.abs(amountCents)
  const others = occurrences.filter((occurrence) => !isTypical(occurrence))
  if (others.length < 2) return [whole]
  const beside = asSeveralStreams(others).filter(
    (stream) => runTogether(whole, stream) && leftOver.has(stream.transactions.at(-1)?.transactionId ?? '')
  )
  const steady = beside.length > 0 ? asOneStream(occurrences.filter(isTypical)) : undefined
  if (steady === undefined || steady.cadence !== whole.cadence || steady.filled < whole.filled) return [whole]
  const streams = [steady, ...beside]
  return countOf(streams) >= minExplained * occurrences.length ? streams : [whole]
}

/** Finds the streams, running or ended, in the date-ordered occurrences of one group. */
export const findStreams = (occurrences: readonly Occurrence[]): Stream[] => {
  if (occurrences.length < 2) return []
  const whole = asOneStream(occurrences)
  // Two plans together look like one more frequent stream with varying amounts.
  if (whole && (whole.cadence === 'monthly' || whole.cadence === 'yearly' || scatter(occurrences) <= steadyScatter))
    return besideSteady(whole, occurrences)
  const parts = asSeveralStreams(occurrences)
  const [first, second] = parts
  const explained = countOf(parts)
  const severalAtOnce = first !== undefined && second !== undefined && runTogether(first, second)
  const isExplained = explained >= minExplained * Math.min(occurrences.length, maxMixedGroupLength)
  if (whole && !(severalAtOnce && isExplained)) return [whole]
  // A pair within many payments is chance.
  return isExplained ? parts : parts.filter(({ transactions }) => transactions.length > 2)
}
