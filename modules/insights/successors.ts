import { directionOf } from './bank-transaction.ts'
import { usualPeriodDays, type Cadence, type Schedule } from './cadence.ts'
import { yearMonthOfDay } from './civil-date.ts'
import { mean } from './statistics.ts'
import { isOverdue, type Occurrence, type Stream } from './streams.ts'

/** Only streams with at least this share of the total flow are worth a guess, such as pay, rent or a mortgage. */
const materialShare = 0.12
/** The longest time after the last payment of a stream in which a successor may appear. */
const maxGapDays = 75
/** With more payments the stream detection decides. */
const maxPayments = 3
const likeAmountRatio = 1.7
/** The probability that an assumed payment comes; it widens the band. */
const assumedFilled = 0.85
const assumedSpreadShare = 0.1

export interface Succession {
  /** Streams that were replaced and are no longer projected. */
  superseded: Set<Stream>
  /** Their assumed successors. */
  assumed: Stream[]
}

/** Keeps the old cadence for one payment, or when the distance between payments fits it; otherwise derives it from the distance. */
const cadenceOf = (days: readonly number[], old: Cadence): Cadence | undefined => {
  const gap = mean(days.slice(1).map((day, index) => day - (days[index] ?? 0)))
  if (days.length === 1 || Math.abs(gap - usualPeriodDays[old]) <= 0.15 * usualPeriodDays[old]) return old
  if (gap >= 6 && gap <= 8) return 'weekly'
  if (gap >= 12 && gap <= 14) return 'biweekly'
  if (gap > 14 && gap <= 18) return 'semimonthly'
  return gap >= 26 && gap <= 35 ? 'monthly' : undefined
}

const scheduleFrom = (cadence: Cadence, lastDay: number, old: Schedule): Schedule | undefined => {
  if (cadence === 'yearly') return undefined
  if (cadence === 'weekly' || cadence === 'biweekly') {
    return { kind: 'interval', cadence, anchorDay: lastDay, periodDays: usualPeriodDays[cadence] }
  }
  const { dayOfMonth } = yearMonthOfDay(lastDay)
  const other = dayOfMonth > 15 ? dayOfMonth - 15 : dayOfMonth + 15
  const daysOfMonth = cadence === 'monthly' ? [dayOfMonth] : [dayOfMonth, other].sort((a, b) => a - b)
  return { kind: 'calendar', cadence, daysOfMonth, monthIndex: 0, roll: old.kind === 'calendar' ? old.roll : 0 }
}

const succeed = (old: Stream, occurrences: readonly Occurrence[]): Stream | undefined => {
  const days = occurrences.map((occurrence) => occurrence.day)
  const last = occurrences.at(-1)
  const transactions = occurrences.flatMap((occurrence) => occurrence.transactions)
  if (
    last === undefined ||
    (days[0] ?? 0) <= old.lastDay ||
    transactions[0]?.accountId !== old.transactions[0]?.accountId
  )
    return undefined
  const ratio = last.amountCents / old.amountCents
  if (ratio < 1 / likeAmountRatio || ratio > likeAmountRatio) return undefined
  const cadence = cadenceOf(days, old.cadence)
  const schedule = cadence && scheduleFrom(cadence, last.day, old.schedule)
  if (!cadence || !schedule) return undefined
  const amountSpreadCents = Math.abs(last.amountCents) * assumedSpreadShare
  return {
    direction: directionOf(last.amountCents),
    cadence,
    schedule,
    amountCents: last.amountCents,
    amountSpreadCents,
    offsets: [0],
    usualOffset: 0,
    filled: assumedFilled,
    lastDay: last.day,
    transactions
  }
}

/**
 * Finds successors of streams, because people change jobs and homes. When a material stream is overdue and a new merchant has since
 * paid or received a similar amount on the same account, that merchant is assumed to continue in its place.
 * @param unexplained the groups without a stream.
 * @param dailyGrossCents the mean daily flow, in and out.
 */
export const findSuccessors = (
  streams: readonly Stream[],
  unexplained: readonly Occurrence[][],
  asOfDay: number,
  dailyGrossCents: number
): Succession => {
  const superseded = new Set<Stream>()
  const successorByGroup = new Map<readonly Occurrence[], Stream>()
  for (const stream of streams) {
    const material = Math.abs(stream.amountCents) / usualPeriodDays[stream.cadence] >= materialShare * dailyGrossCents
    if (!material || asOfDay - stream.lastDay > maxGapDays || !isOverdue(stream, asOfDay)) continue
    let newest: { group: readonly Occurrence[]; successor: Stream } | undefined
    for (const group of unexplained) {
      if (group.length > maxPayments || successorByGroup.has(group)) continue
      const successor = succeed(stream, group)
      if (successor && (!newest || successor.lastDay > newest.successor.lastDay)) newest = { group, successor }
    }
    if (!newest) continue
    superseded.add(stream)
    successorByGroup.set(newest.group, newest.successor)
  }
  return { superseded, assumed: [...successorByGroup.values()] }
}
