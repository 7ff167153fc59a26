import type { FieldError } from '../../plugins/http/errors/validation.ts'
import { isDate, momentRule, readMoment } from '../../plugins/time-range.ts'

export type UsageInterval = 'day' | 'hour'

/** A half-open range [`start`, `end`), aligned to UTC days or hours. */
export interface Period {
  start: Date
  end: Date
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Interval lengths in milliseconds; every UTC day has 24 hours. */
const lengthMs: Record<UsageInterval, number> = { day: dayMs, hour: hourMs }

/** The longest range in days: 366 daily or 744 hourly points. */
const maxDays: Record<UsageInterval, number> = { day: 366, hour: 31 }

const defaultDays = 30

/**
 * Reads the period of a usage query. Rounds `from` down and `to` up to whole intervals; a date as `to` includes that day. `to`
 * defaults to the end of the current interval, `from` to 30 days before the end.
 *
 * @returns the period, or the invalid fields.
 */
export const usagePeriod = (
  query: { from?: string | undefined; to?: string | undefined },
  interval: UsageInterval,
  now: Date
): Period | FieldError[] => {
  const unitMs = lengthMs[interval]
  const from = query.from === undefined ? undefined : readMoment(query.from)
  const to = query.to === undefined ? now.getTime() + 1 : readMoment(query.to)
  const errors = [
    ...(query.from !== undefined && from === undefined ? ['query/from'] : []),
    ...(to === undefined ? ['query/to'] : [])
  ].map((path) => ({
    path,
    message: momentRule
  }))
  if (errors.length > 0 || to === undefined) return errors

  const wantedEnd = query.to !== undefined && isDate(query.to) ? to + dayMs : to
  if (from !== undefined && from >= wantedEnd) return [{ path: 'query/from', message: 'must be before `to`' }]
  const end = Math.ceil(wantedEnd / unitMs) * unitMs
  const start = from === undefined ? end - defaultDays * dayMs : Math.floor(from / unitMs) * unitMs
  if (end - start > maxDays[interval] * dayMs) {
    return [
      {
        path: 'query/from',
        message: `must be at most ${maxDays[interval]} days before the end of the range by ${interval}`
      }
    ]
  }
  return { start: new Date(start), end: new Date(end) }
}

/** The start of every interval in a period. */
export const startsOf = ({ start, end }: Period, interval: UsageInterval): Date[] => {
  const count = (end.getTime() - start.getTime()) / lengthMs[interval]
  return Array.from({ length: count }, (_, index) => new Date(start.getTime() + index * lengthMs[interval]))
}
