import { directionOf, type DatedTransaction, type Direction } from './bank-transaction.ts'
import { dueDays, fitCadence, PERIOD_DAYS, type Cadence, type CadenceFit, type Schedule } from './cadence.ts'
import { merchantName } from './merchant-name.ts'
import { mean, median, medianDeviation } from './statistics.ts'

/** What happened at one merchant on one day. */
export interface Occurrence {
  day: number
  amountCents: number
  transactions: DatedTransaction[]
}

/** A recurring flow as learnt from its own past, still running or not. */
export interface Stream {
  direction: Direction
  cadence: Cadence
  schedule: Schedule
  /** Typical amount, Plaid's sign. */
  amountCents: number
  /** Mean distance of the recent amounts from the typical one. */
  amountSpreadCents: number
  /** Signed days late, one for each occurrence the schedule explains. */
  offsets: number[]
  /** Their median: days late (negative: early) by which it is usually off; 0 for nearly all, because schedules are fitted that way. */
  usualOffset: number
  /** Share of due days on which something came. */
  filled: number
  lastDay: number
  transactions: DatedTransaction[]
}

/** A cadence is judged on the newest occurrences only: people change jobs, landlords and billing days. */
const WINDOW_OCCURRENCES = 14
const RECENT_WINDOW_OCCURRENCES = 6
const FEWEST: Record<Cadence, number> = { weekly: 4, biweekly: 3, semimonthly: 4, monthly: 3, yearly: 2 }
/** Two equal amounts a month apart are taken at their word; otherwise three are asked for. */
const EQUAL_AMOUNT_SHARE = 0.02
/** Amounts of a stream may scatter this much around the median (median deviation); heating bills do. */
const LARGEST_SCATTER = 0.6
const STEADY_SCATTER = 0.05
/** Neighbouring amounts further apart than this are different things bought at one merchant. */
const CLUSTER_RATIO = 1.12
/** No more of a merchant's newest transactions than this are told apart by amount. */
const LONGEST_MIXED_GROUP = 60
/** Three months' payments must be among them, or there is nothing to tell apart. */
const SHORTEST_MIXED_DAYS = 55
/** How many days after the due day a stream is given up, at least. */
const GRACE_DAYS: Record<Cadence, number> = { weekly: 4, biweekly: 6, semimonthly: 6, monthly: 8, yearly: 20 }

/** Same account, same direction, same merchant, day by day: what could be one stream. Internal transfers are left out. */
export function groupOccurrences(ordered: readonly DatedTransaction[]): Occurrence[][] {
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

function occurrencesOf(group: readonly DatedTransaction[]): Occurrence[] {
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

function scatter(occurrences: readonly Occurrence[]): number {
  const amounts = occurrences.map((occurrence) => occurrence.amountCents)
  return medianDeviation(amounts) / Math.max(1, Math.abs(median(amounts)))
}

function isTrusted(fit: CadenceFit, occurrences: readonly Occurrence[]): boolean {
  const { cadence } = fit.schedule
  if (cadence === 'monthly' && occurrences.length === 2) {
    const [first, second] = occurrences.map((occurrence) => Math.abs(occurrence.amountCents))
    return Math.abs((first ?? 0) - (second ?? 0)) <= EQUAL_AMOUNT_SHARE * Math.max(first ?? 0, second ?? 0)
  }
  return fit.members.length >= FEWEST[cadence] && scatter(occurrences) <= LARGEST_SCATTER
}

/** The newest three where amounts are steady, so that a raise shows at the second payment; else the newest six. */
function typicalAmountCents(amounts: readonly number[]): number {
  const recent = amounts.slice(-RECENT_WINDOW_OCCURRENCES)
  const steady = medianDeviation(recent) <= STEADY_SCATTER * Math.abs(median(recent))
  return Math.round(median(steady ? recent.slice(-3) : recent))
}

function toStream(fit: CadenceFit, window: readonly Occurrence[], older: readonly Occurrence[]): Stream {
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

/** All occurrences as one stream: judged on the newest fourteen, or on the newest six when the older ones followed another rule. */
function asOneStream(occurrences: readonly Occurrence[]): Stream | undefined {
  for (const length of [WINDOW_OCCURRENCES, RECENT_WINDOW_OCCURRENCES]) {
    const window = occurrences.slice(-length)
    const fit = fitCadence(window.map((occurrence) => occurrence.day))
    const whole = length === WINDOW_OCCURRENCES || (fit?.members.length === window.length && fit.filled === 1)
    if (fit && whole && isTrusted(fit, window)) return toStream(fit, window, occurrences.slice(0, -length))
    if (occurrences.length <= RECENT_WINDOW_OCCURRENCES) return undefined
  }
  return undefined
}

/** Several things from one merchant, told apart by amount: two plans of one shop, a membership among purchases. */
function asStreamsByAmount(occurrences: readonly Occurrence[]): Stream[] {
  const newest = occurrences.flatMap((occurrence) => occurrence.transactions).slice(-LONGEST_MIXED_GROUP)
  if ((newest.at(-1)?.day ?? 0) - (newest[0]?.day ?? 0) < SHORTEST_MIXED_DAYS) return []
  const byAmount = newest.sort((a, b) => Math.abs(a.amountCents) - Math.abs(b.amountCents))
  const streams: Stream[] = []
  let cluster: DatedTransaction[] = []
  const close = (): void => {
    const alike = cluster.length < 3 ? [] : occurrencesOf(cluster.sort((a, b) => a.day - b.day))
    const credible = alike.length >= 5 || (alike.length >= 3 && scatter(alike) <= EQUAL_AMOUNT_SHARE)
    const stream = credible ? asOneStream(alike) : undefined
    if (stream) streams.push(stream)
    cluster = []
  }
  for (const transaction of byAmount) {
    const largest = Math.abs(cluster.at(-1)?.amountCents ?? transaction.amountCents)
    if (Math.abs(transaction.amountCents) > CLUSTER_RATIO * largest) close()
    cluster.push(transaction)
  }
  close()
  return streams
}

function runTogether(a: Stream, b: Stream): boolean {
  const [aFirst, bFirst] = [a.transactions[0]?.day ?? 0, b.transactions[0]?.day ?? 0]
  return Math.min(a.lastDay, b.lastDay) - Math.max(aFirst, bFirst) > PERIOD_DAYS[a.cadence]
}

/** The streams, running or ended, in the occurrences of one group, which come in order of date. */
export function findStreams(occurrences: readonly Occurrence[]): Stream[] {
  if (occurrences.length < 2) return []
  const whole = asOneStream(occurrences)
  // Two monthly plans together look like something more frequent than monthly, and their amounts differ.
  if (whole && (whole.cadence === 'monthly' || whole.cadence === 'yearly' || scatter(occurrences) <= STEADY_SCATTER))
    return [whole]
  const parts = asStreamsByAmount(occurrences)
  const [first, second] = parts
  const explained = parts.reduce((sum, part) => sum + part.transactions.length, 0)
  const severalAtOnce = first !== undefined && second !== undefined && runTogether(first, second)
  if (whole && !(severalAtOnce && explained >= 0.8 * Math.min(occurrences.length, LONGEST_MIXED_GROUP))) return [whole]
  return parts
}

function latestOffset(stream: Stream): number {
  return Math.max(0, ...stream.offsets)
}

/**
 * The days on which the stream is expected after `asOfDay`, up to `untilDay`; empty when it has ended. A payment that is a little late is
 * expected tomorrow. When it is later than it has ever been plus its grace, the stream counts as ended.
 */
export function expectedDays(stream: Stream, asOfDay: number, untilDay: number): number[] {
  const halfPeriod = Math.floor(PERIOD_DAYS[stream.cadence] / 2)
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
    else if (late > patienceDays + GRACE_DAYS[stream.cadence]) missed++
    if (missed > skips) return []
  }
  return days
}

/** Whether a payment that was due is later than this stream has been before, so that something may have taken its place. */
export function isOverdue(stream: Stream, asOfDay: number): boolean {
  const [nextDue] = dueDays(stream.schedule, stream.lastDay + Math.floor(PERIOD_DAYS[stream.cadence] / 2), asOfDay)
  return nextDue !== undefined && asOfDay - (nextDue + stream.usualOffset) > Math.max(2, latestOffset(stream) + 1)
}

/** Probability, 0..1, that an expected payment has come by `daysAfter` days after its expected day, from the stream's own punctuality. */
export function arrivedShare(stream: Stream, daysAfter: number): number {
  const arrived = stream.offsets.filter((offset) => offset - stream.usualOffset <= daysAfter).length
  // A quarter of an imagined payment a day early, and as much a day late, keep a stream that has always been punctual from being certain.
  const imagined = daysAfter >= 1 ? 0.5 : daysAfter >= -1 ? 0.25 : 0
  return (arrived + imagined) / (stream.offsets.length + 0.5)
}
