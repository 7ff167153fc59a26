import { dueDays } from './schedule.ts'
import type { Stream } from './streams.ts'

export interface Expectation {
  /** The day on which the payment is expected, after the day of the forecast. */
  day: number
  dueDay: number
}

export interface Outlook {
  /** Ascending; empty when the stream has ended. */
  expected: Expectation[]
  /** How many days the unpaid due day lies back; 0 when nothing is overdue. */
  lateDays: number
}

const ended: Outlook = { expected: [], lateDays: 0 }

/** An unpaid bill is given up after this many days, when its next due day is not nearer. */
const maxLateDays = 45
/** Income that is later than ever before plus this share of its period does not come: it must not hide a shortfall. */
const incomeGraceShare = 0.3
/** A stream with fewer payments skips one now and then. */
const reliableShare = 0.9

/** After this many days without the payment it is later than ever before. */
const patienceDays = (stream: Stream): number => Math.max(2, Math.max(0, ...stream.offsets) + 1)

/**
 * The payments that a stream still expects after `asOfDay`, up to `untilDay`. An unpaid bill is expected tomorrow until evidence ends
 * it: its next due day passes unpaid, too. Overdue income is expected for a shorter time.
 */
export const outlookOf = (stream: Stream, asOfDay: number, untilDay: number): Outlook => {
  const halfPeriod = Math.floor(stream.periodDays / 2)
  const due = dueDays(stream.schedule, stream.lastDay + halfPeriod, untilDay + halfPeriod)
  const patience = patienceDays(stream)
  const skips = stream.filled < reliableShare ? 1 : 0
  const graceDays = Math.max(4, Math.round(incomeGraceShare * Math.min(stream.periodDays, 31)))
  const expected: Expectation[] = []
  let lateDays = 0
  let missed = 0
  for (const dueDay of due) {
    const day = dueDay + stream.usualOffset
    if (day > asOfDay) {
      if (day <= untilDay) expected.push({ day, dueDay })
      continue
    }
    const late = asOfDay - day
    if (late >= patience) missed++
    const isGivenUp = stream.direction === 'outflow' ? late > maxLateDays : late > patience + graceDays
    if (missed > 1 + skips || (isGivenUp && missed > skips)) return ended
    if (isGivenUp || (stream.direction === 'inflow' && late >= patience)) continue
    expected.length = 0
    expected.push({ day: asOfDay + 1, dueDay })
    lateDays = late
  }
  return { expected, lateDays }
}

/** Whether a payment is later than ever before, so that another stream may have replaced this one. */
export const isOverdue = (stream: Stream, asOfDay: number): boolean => {
  const [nextDue] = dueDays(stream.schedule, stream.lastDay + Math.floor(stream.periodDays / 2), asOfDay)
  return nextDue !== undefined && asOfDay - (nextDue + stream.usualOffset) >= patienceDays(stream)
}

/** The probability that a payment has arrived `daysAfter` days after its expected day, from past offsets. */
export const arrivedShare = (stream: Stream, daysAfter: number): number => {
  const arrived = stream.offsets.filter((offset) => offset - stream.usualOffset <= daysAfter).length
  // A prior of half a payment, spread over a day early and a day late, avoids certainty for punctual streams.
  const prior = daysAfter >= 1 ? 0.5 : daysAfter >= -1 ? 0.25 : 0
  return (arrived + prior) / (stream.offsets.length + 0.5)
}
