import type { DatedTransaction } from './bank-transaction.ts'
import { weekdayOfDay } from './civil-date.ts'
import { arrivedShare, outlookOf } from './expectations.ts'
import { findStreams } from './mixed-streams.ts'
import { groupOccurrences, type Occurrence } from './occurrences.ts'
import type { Stream } from './streams.ts'
import { findSuccessors } from './successors.ts'
import { fitWeekdayModel } from './weekday-model.ts'

/** A history that can be read as of any earlier day. */
export interface History {
  firstDay: number
  lastDay: number
  /** Net balance change per day from `firstDay`, in cents, without internal transfers. */
  dailyNetCents: Float64Array
  groups: HistoryGroup[]
  /** Booked ahead by the bank: on a later day than `lastDay`, and not in the balance yet. Positive when money leaves the account. */
  scheduled: { day: number; amountCents: number }[]
}

interface HistoryGroup {
  occurrences: Occurrence[]
  /** Caches the streams of the first n occurrences, by n: most groups do not change between two origins. */
  streamsByLength: Map<number, Stream[]>
}

/** A projection from the end of one day. Index 0 is the next day. */
export interface Projection {
  /** Expected net change of the balance since the origin, in cents. */
  changeCents: Float64Array
  /** The model's standard deviation of that change, in cents; the backtest corrects it. */
  scaleCents: Float64Array
  /** Detected streams, including ended ones, without assumed successors. */
  streams: Stream[]
}

/** The lowest risk that a payment of a stream does not come. */
const minSkipRisk = 0.02
/** The number of latest occurrences per merchant that are searched for streams. */
const maxGroupLength = 150
/** A group with at most this many occurrences may be the start of a stream. */
const maxYoungGroupLength = 3

/** Builds a history. @param transactions from readTransactions, with those of later days. */
export const readHistory = (transactions: readonly DatedTransaction[], asOfDay: number): History => {
  const firstDay = Math.min(transactions[0]?.day ?? asOfDay, asOfDay)
  const dailyNetCents = new Float64Array(asOfDay - firstDay + 1)
  for (const { day, amountCents, internal } of transactions) {
    if (!internal && day <= asOfDay) dailyNetCents[day - firstDay] = (dailyNetCents[day - firstDay] ?? 0) - amountCents
  }
  const groups = groupOccurrences(transactions).map((occurrences) => ({
    occurrences,
    streamsByLength: new Map<number, Stream[]>()
  }))
  const scheduled = transactions.filter(({ day, pending, internal }) => day > asOfDay && !pending && !internal)
  return { firstDay, lastDay: asOfDay, dailyNetCents, groups, scheduled }
}

/** Counts the ordered occurrences up to a day, inclusive, by binary search. */
const countUntil = (ordered: readonly Occurrence[], day: number): number => {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ordered[middle]?.day ?? 0) <= day) low = middle + 1
    else high = middle
  }
  return low
}

/** The streams as of a day, including ended ones, and the young groups without a stream. */
const streamsAsOf = (history: History, knownUntilDay: number): { streams: Stream[]; unexplained: Occurrence[][] } => {
  const streams: Stream[] = []
  const unexplained: Occurrence[][] = []
  for (const { occurrences, streamsByLength } of history.groups) {
    const length = countUntil(occurrences, knownUntilDay)
    let found = streamsByLength.get(length)
    if (!found) {
      found = findStreams(occurrences.slice(Math.max(0, length - maxGroupLength), length))
      streamsByLength.set(length, found)
    }
    streams.push(...found)
    if (found.length === 0 && length > 0 && length <= maxYoungGroupLength)
      unexplained.push(occurrences.slice(0, length))
  }
  return { streams, unexplained }
}

/** Adds the expected payments of a stream to the daily changes, and their uncertainty to the variances. */
const addStream = (
  stream: Stream,
  originDay: number,
  changeCents: Float64Array,
  variance: Float64Array,
  timing: Float64Array
): void => {
  const horizon = changeCents.length
  const skipRisk = Math.max(minSkipRisk, 1 - stream.filled)
  const sizeVariance = (1.25 * stream.amountSpreadCents) ** 2 + stream.amountCents ** 2 * skipRisk * (1 - skipRisk)
  for (const { day } of outlookOf(stream, originDay, originDay + horizon + 5).expected) {
    const index = day - originDay - 1
    if (index < horizon) {
      changeCents[index] = (changeCents[index] ?? 0) - stream.amountCents
      variance[index] = (variance[index] ?? 0) + sizeVariance
    }
    for (let near = Math.max(0, index - 5); near <= Math.min(horizon - 1, index + 5); near++) {
      const arrived = arrivedShare(stream, near - index)
      timing[near] = (timing[near] ?? 0) + stream.amountCents ** 2 * arrived * (1 - arrived)
    }
  }
}

/**
 * Projects the history as of the end of `originDay`. From the last day of the history it knows what the bank shows with later dates;
 * from an earlier day it uses nothing later.
 */
export const project = (history: History, originDay: number, horizonDays: number): Projection => {
  const isLast = originDay === history.lastDay
  const residual = history.dailyNetCents.slice(0, originDay - history.firstDay + 1)
  const dailyGrossCents = residual.reduce((sum, net) => sum + Math.abs(net), 0) / residual.length
  const { streams, unexplained } = streamsAsOf(history, isLast ? Infinity : originDay)
  const { superseded, assumed } = findSuccessors(streams, unexplained, originDay, dailyGrossCents)
  const changeCents = new Float64Array(horizonDays)
  const variance = new Float64Array(horizonDays)
  const timing = new Float64Array(horizonDays)
  for (const stream of [...streams, ...assumed]) {
    for (const { day, amountCents } of stream.transactions) {
      const index = day - history.firstDay
      if (index < residual.length) residual[index] = (residual[index] ?? 0) + amountCents
    }
    if (!superseded.has(stream)) addStream(stream, originDay, changeCents, variance, timing)
  }
  for (const { day, amountCents } of isLast ? history.scheduled : []) {
    const index = day - originDay - 1
    if (index < horizonDays) changeCents[index] = (changeCents[index] ?? 0) - amountCents
  }
  const rest = fitWeekdayModel(residual, originDay)
  const scaleCents = new Float64Array(horizonDays)
  let change = 0
  let settled = 0
  for (let index = 0; index < horizonDays; index++) {
    change += (changeCents[index] ?? 0) + (rest.meanCents[weekdayOfDay(originDay + 1 + index)] ?? 0)
    settled += (variance[index] ?? 0) + rest.spreadCents ** 2
    changeCents[index] = change
    const levelError = (rest.spreadCents * (index + 1)) ** 2 / Math.max(1, rest.effectiveDays)
    scaleCents[index] = Math.max(1, Math.sqrt(settled + (timing[index] ?? 0) + levelError))
  }
  return { changeCents, scaleCents, streams: streams.filter((stream) => !superseded.has(stream)) }
}
