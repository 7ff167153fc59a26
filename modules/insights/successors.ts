import { directionOf } from './bank-transaction.ts'
import { weekdayOfDay, yearMonthOfDay } from './civil-date.ts'
import { isOverdue } from './expectations.ts'
import { isKnownBill, transferClaim } from './kinds.ts'
import type { Occurrence } from './occurrences.ts'
import { cadenceOf, periodDaysOf, type Schedule } from './schedule.ts'
import { mean } from './statistics.ts'
import type { Stream } from './streams.ts'

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

/** The same schedule, shifted to the latest payment. */
const shiftTo = (lastDay: number, old: Schedule): Schedule => {
  if (old.kind === 'days') return { ...old, anchorDay: lastDay }
  const { monthIndex, dayOfMonth } = yearMonthOfDay(lastDay)
  if (old.kind === 'month-weekday') {
    const isLast = yearMonthOfDay(lastDay + 7).monthIndex !== monthIndex
    return {
      ...old,
      phase: monthIndex,
      weekday: weekdayOfDay(lastDay),
      ordinal: isLast ? -1 : Math.ceil(dayOfMonth / 7)
    }
  }
  return {
    ...old,
    phase: monthIndex,
    daysOfMonth: old.daysOfMonth.length === 1 ? [dayOfMonth] : twiceAMonth(dayOfMonth)
  }
}

const twiceAMonth = (dayOfMonth: number): number[] =>
  [dayOfMonth, dayOfMonth > 15 ? dayOfMonth - 15 : dayOfMonth + 15].sort((a, b) => a - b)

/** Keeps the old schedule for one payment, or when the distance between payments fits it; otherwise derives it from the distance. */
const scheduleFrom = (days: readonly number[], old: Stream): Schedule | undefined => {
  const lastDay = days.at(-1) ?? 0
  const gap = mean(days.slice(1).map((day, index) => day - (days[index] ?? 0)))
  if (days.length === 1 || Math.abs(gap - old.periodDays) <= 0.15 * old.periodDays)
    return shiftTo(lastDay, old.schedule)
  if (gap >= 6 && gap <= 8) return { kind: 'days', anchorDay: lastDay, periodDays: 7 }
  if (gap >= 12 && gap <= 14) return { kind: 'days', anchorDay: lastDay, periodDays: 14 }
  const { monthIndex: phase, dayOfMonth } = yearMonthOfDay(lastDay)
  const roll = old.schedule.kind === 'days' ? 0 : old.schedule.roll
  const monthly = { kind: 'month-days', everyMonths: 1, phase, roll } as const
  if (gap > 14 && gap <= 18) return { ...monthly, daysOfMonth: twiceAMonth(dayOfMonth) }
  return gap >= 26 && gap <= 35 ? { ...monthly, daysOfMonth: [dayOfMonth] } : undefined
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
  // A purchase of the size of an unpaid bill does not replace it, and a transfer does not replace pay.
  const isAlike = transactions.every((transaction) =>
    old.direction === 'outflow' ? isKnownBill(transaction) : transferClaim(transaction) !== 'own'
  )
  if (!isAlike) return undefined
  const ratio = last.amountCents / old.amountCents
  if (ratio < 1 / likeAmountRatio || ratio > likeAmountRatio) return undefined
  const schedule = scheduleFrom(days, old)
  if (!schedule) return undefined
  const amountSpreadCents = Math.abs(last.amountCents) * assumedSpreadShare
  return {
    direction: directionOf(last.amountCents),
    ...cadenceOf(schedule),
    schedule,
    periodDays: periodDaysOf(schedule),
    amountCents: last.amountCents,
    amountSpreadCents,
    offsets: [0],
    usualOffset: 0,
    filled: assumedFilled,
    lastDay: last.day,
    transactions,
    isAssumed: true
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
    const material = Math.abs(stream.amountCents) / stream.periodDays >= materialShare * dailyGrossCents
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
