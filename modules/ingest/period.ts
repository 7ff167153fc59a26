import type { FieldError } from '../../plugins/http/errors/validation.ts'

export type UsageInterval = 'day' | 'hour'

/** From `start` until before `end`, both at the border of a UTC day or hour. */
export interface Period {
  start: Date
  end: Date
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The length of an interval in milliseconds. UTC knows no summer time, so every day has 24 hours. */
const lengthMs: Record<UsageInterval, number> = { day: dayMs, hour: hourMs }

/** The longest range in days: 366 points by day, 744 by hour. */
const mostDays: Record<UsageInterval, number> = { day: 366, hour: 31 }

const defaultDays = 30
const earliestMs = Date.UTC(1970, 0, 1)
const latestMs = Date.UTC(3000, 0, 1)

const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text)

/** RFC 3339 with its time zone; `Date.parse` alone would also take local times and other forms. */
const timestamp = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Reads a date (its first moment in UTC) or a timestamp, in milliseconds; undefined for what is neither, and outside the years 1970 to 2999. */
const readMoment = (text: string): number | undefined => {
  const ms = isDate(text) || timestamp.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN
  if (!(ms >= earliestMs && ms < latestMs)) return undefined
  // The 30th of February is read as the 2nd of March by some engines; a date must come back as it was given.
  return isDate(text) && new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms
}

/**
 * The period that a query for usage means: `from` is rounded down and `to` up to whole intervals, and a date as `to` includes that day. Without `to` it
 * ends with the current interval, without `from` it begins 30 days before its end.
 *
 * @returns the period, or the fields that are wrong.
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
    message: 'must be a date such as 2026-06-14, or a timestamp such as 2026-06-14T18:00:00Z, between 1970 and 2999'
  }))
  if (errors.length > 0 || to === undefined) return errors

  const wantedEnd = query.to !== undefined && isDate(query.to) ? to + dayMs : to
  if (from !== undefined && from >= wantedEnd) return [{ path: 'query/from', message: 'must be before `to`' }]
  const end = Math.ceil(wantedEnd / unitMs) * unitMs
  const start = from === undefined ? end - defaultDays * dayMs : Math.floor(from / unitMs) * unitMs
  if (end - start > mostDays[interval] * dayMs) {
    return [
      {
        path: 'query/from',
        message: `must be at most ${mostDays[interval]} days before the end of the range by ${interval}`
      }
    ]
  }
  return { start: new Date(start), end: new Date(end) }
}

/** The first moment of every interval of a period. */
export const startsOf = ({ start, end }: Period, interval: UsageInterval): Date[] => {
  const count = (end.getTime() - start.getTime()) / lengthMs[interval]
  return Array.from({ length: count }, (_, index) => new Date(start.getTime() + index * lengthMs[interval]))
}
