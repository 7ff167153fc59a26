import type { DatedTransaction } from './bank-transaction.ts'
import { weekdayOfDay } from './civil-date.ts'
import { arrivedShare, expectedDays, findStreams, groupOccurrences, type Occurrence, type Stream } from './streams.ts'
import { findSuccessors } from './successors.ts'
import { fitWeekdayModel } from './weekday-model.ts'

/** A history laid out so that it can be read as of any earlier day. */
export interface History {
  firstDay: number
  lastDay: number
  /** Net change of the balance on each day from `firstDay`, in cents, internal transfers left out. */
  dailyNetCents: Float64Array
  groups: HistoryGroup[]
}

interface HistoryGroup {
  occurrences: Occurrence[]
  /** Streams found in the first n occurrences, by n: most groups have nothing new between two origins. */
  streamsByLength: Map<number, Stream[]>
}

/** What was expected, standing at the end of one day. Index 0 is the next day. */
export interface Projection {
  /** Expected net change of the balance since the origin, in cents. */
  changeCents: Float64Array
  /** The model's own idea of one standard deviation of that, in cents; the backtest corrects it. */
  scaleCents: Float64Array
  /** Proven by repetition; ended ones among them, assumed successors not. */
  streams: Stream[]
}

/** A stream may stop or skip without a sign; this much is granted to even the most faithful one. */
const SMALLEST_SKIP_RISK = 0.02
/** No merchant's older past than this many days with a visit is searched for streams. */
const LONGEST_GROUP = 150
/** A merchant with no more visits than this may be the beginning of something. */
const YOUNG_GROUP = 3

/** Orders a history by day. `transactions` come from readTransactions. */
export function readHistory(transactions: readonly DatedTransaction[], asOfDay: number): History {
  const firstDay = transactions[0]?.day ?? asOfDay
  const dailyNetCents = new Float64Array(asOfDay - firstDay + 1)
  for (const { day, amountCents, internal } of transactions) {
    if (!internal) dailyNetCents[day - firstDay] = (dailyNetCents[day - firstDay] ?? 0) - amountCents
  }
  const groups = groupOccurrences(transactions).map((occurrences) => ({
    occurrences,
    streamsByLength: new Map<number, Stream[]>()
  }))
  return { firstDay, lastDay: asOfDay, dailyNetCents, groups }
}

/** How many of the ordered occurrences lie on or before a day. */
function countUntil(ordered: readonly Occurrence[], day: number): number {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ordered[middle]?.day ?? 0) <= day) low = middle + 1
    else high = middle
  }
  return low
}

/** The streams that had been seen by a day, ended ones too, and the young groups that are no stream yet. */
function streamsAsOf(history: History, originDay: number): { streams: Stream[]; unexplained: Occurrence[][] } {
  const streams: Stream[] = []
  const unexplained: Occurrence[][] = []
  for (const { occurrences, streamsByLength } of history.groups) {
    const length = countUntil(occurrences, originDay)
    let found = streamsByLength.get(length)
    if (!found) {
      found = findStreams(occurrences.slice(Math.max(0, length - LONGEST_GROUP), length))
      streamsByLength.set(length, found)
    }
    streams.push(...found)
    if (found.length === 0 && length > 0 && length <= YOUNG_GROUP) unexplained.push(occurrences.slice(0, length))
  }
  return { streams, unexplained }
}

/** Adds one stream's expected payments to the daily changes, and what is uncertain about them to the variances. */
function addStream(
  stream: Stream,
  originDay: number,
  changeCents: Float64Array,
  variance: Float64Array,
  timing: Float64Array
): void {
  const horizon = changeCents.length
  const skipRisk = Math.max(SMALLEST_SKIP_RISK, 1 - stream.filled)
  const sizeVariance = (1.25 * stream.amountSpreadCents) ** 2 + stream.amountCents ** 2 * skipRisk * (1 - skipRisk)
  for (const day of expectedDays(stream, originDay, originDay + horizon + 5)) {
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

/** Projects the history as it was known at the end of `originDay`. Uses nothing that came later. */
export function project(history: History, originDay: number, horizonDays: number): Projection {
  const residual = history.dailyNetCents.slice(0, originDay - history.firstDay + 1)
  const dailyGrossCents = residual.reduce((sum, net) => sum + Math.abs(net), 0) / residual.length
  const { streams, unexplained } = streamsAsOf(history, originDay)
  const { superseded, assumed } = findSuccessors(streams, unexplained, originDay, dailyGrossCents)
  const changeCents = new Float64Array(horizonDays)
  const variance = new Float64Array(horizonDays)
  const timing = new Float64Array(horizonDays)
  for (const stream of [...streams, ...assumed]) {
    for (const { day, amountCents } of stream.transactions) {
      const index = day - history.firstDay
      residual[index] = (residual[index] ?? 0) + amountCents
    }
    if (!superseded.has(stream)) addStream(stream, originDay, changeCents, variance, timing)
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
