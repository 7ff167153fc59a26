import { directionOf } from './bank-transaction.ts'
import { PERIOD_DAYS, type Cadence, type Schedule } from './cadence.ts'
import { yearMonthOfDay } from './civil-date.ts'
import { mean } from './statistics.ts'
import { isOverdue, type Occurrence, type Stream } from './streams.ts'

/** Only what moves at least this share of all money is worth a guess: pay, rent, a mortgage. */
const MATERIAL_SHARE = 0.12
/** How long after its last payment a stream may still be succeeded. */
const LONGEST_GAP_DAYS = 75
/** With more payments than this the detection itself decides. */
const MOST_PAYMENTS = 3
const LIKE_AMOUNT_RATIO = 1.7
/** A guess may be wrong: it is given this chance of coming, which widens the band. */
const ASSUMED_FILLED = 0.85
const ASSUMED_SPREAD_SHARE = 0.1

export interface Succession {
  /** Streams that are no longer to be projected, because something took their place. */
  superseded: Set<Stream>
  /** What took their place: assumed, not proven by repetition. */
  assumed: Stream[]
}

/** With one payment the old rhythm is kept; with more, their distance speaks, unless it fits the old rhythm too. */
function cadenceOf(days: readonly number[], old: Cadence): Cadence | undefined {
  const gap = mean(days.slice(1).map((day, index) => day - (days[index] ?? 0)))
  if (days.length === 1 || Math.abs(gap - PERIOD_DAYS[old]) <= 0.15 * PERIOD_DAYS[old]) return old
  if (gap >= 6 && gap <= 8) return 'weekly'
  if (gap >= 12 && gap <= 14) return 'biweekly'
  if (gap > 14 && gap <= 18) return 'semimonthly'
  return gap >= 26 && gap <= 35 ? 'monthly' : undefined
}

function scheduleFrom(cadence: Cadence, lastDay: number, old: Schedule): Schedule | undefined {
  if (cadence === 'yearly') return undefined
  if (cadence === 'weekly' || cadence === 'biweekly') {
    return { kind: 'interval', cadence, anchorDay: lastDay, periodDays: PERIOD_DAYS[cadence] }
  }
  const { dayOfMonth } = yearMonthOfDay(lastDay)
  const other = dayOfMonth > 15 ? dayOfMonth - 15 : dayOfMonth + 15
  const daysOfMonth = cadence === 'monthly' ? [dayOfMonth] : [dayOfMonth, other].sort((a, b) => a - b)
  return { kind: 'calendar', cadence, daysOfMonth, monthIndex: 0, roll: old.kind === 'calendar' ? old.roll : 0 }
}

function succeed(old: Stream, occurrences: readonly Occurrence[]): Stream | undefined {
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
  if (ratio < 1 / LIKE_AMOUNT_RATIO || ratio > LIKE_AMOUNT_RATIO) return undefined
  const cadence = cadenceOf(days, old.cadence)
  const schedule = cadence && scheduleFrom(cadence, last.day, old.schedule)
  if (!cadence || !schedule) return undefined
  const amountSpreadCents = Math.abs(last.amountCents) * ASSUMED_SPREAD_SHARE
  return {
    direction: directionOf(last.amountCents),
    cadence,
    schedule,
    amountCents: last.amountCents,
    amountSpreadCents,
    offsets: [0],
    usualOffset: 0,
    filled: ASSUMED_FILLED,
    lastDay: last.day,
    transactions
  }
}

/**
 * People change jobs and homes. When a material stream is overdue and a merchant never seen before has since paid, or been paid, a like
 * amount in the same account, the newcomer is assumed to go on in its place, before it has repeated often enough to be a stream of its own.
 * `unexplained` are the groups without a stream; `dailyGrossCents` is the mean of what moves in and out on a day.
 */
export function findSuccessors(
  streams: readonly Stream[],
  unexplained: readonly Occurrence[][],
  asOfDay: number,
  dailyGrossCents: number
): Succession {
  const superseded = new Set<Stream>()
  const successorByGroup = new Map<readonly Occurrence[], Stream>()
  for (const stream of streams) {
    const material = Math.abs(stream.amountCents) / PERIOD_DAYS[stream.cadence] >= MATERIAL_SHARE * dailyGrossCents
    if (!material || asOfDay - stream.lastDay > LONGEST_GAP_DAYS || !isOverdue(stream, asOfDay)) continue
    let newest: { group: readonly Occurrence[]; successor: Stream } | undefined
    for (const group of unexplained) {
      if (group.length > MOST_PAYMENTS || successorByGroup.has(group)) continue
      const successor = succeed(stream, group)
      if (successor && (!newest || successor.lastDay > newest.successor.lastDay)) newest = { group, successor }
    }
    if (!newest) continue
    superseded.add(stream)
    successorByGroup.set(newest.group, newest.successor)
  }
  return { superseded, assumed: [...successorByGroup.values()] }
}
