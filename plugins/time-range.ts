import { invalidFields } from './http/errors/kinds.ts'

const earliestMs = Date.UTC(1970, 0, 1)
const latestMs = Date.UTC(3000, 0, 1)
const dayMs = 86_400_000

export const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text)

/** RFC 3339 with a time zone; `Date.parse` alone would accept local times and other notations. */
const timestamp = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** What a moment in a query must be; completes "`from` …". */
export const momentRule =
  'must be a date such as 2026-06-14, or a timestamp such as 2026-06-14T18:00:00Z, between 1970 and 2999'

/** Parses a date (as its start in UTC) or a timestamp to milliseconds; undefined when invalid or outside the years 1970 to 2999. */
export const readMoment = (text: string): number | undefined => {
  const ms = isDate(text) || timestamp.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN
  if (!(ms >= earliestMs && ms < latestMs)) return undefined
  // Some engines parse February 30 as March 2.
  return isDate(text) && new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms
}

/** A half-open range; an undefined end is open. */
export interface TimeRange {
  from: Date | undefined
  before: Date | undefined
}

/**
 * Reads the `from` and `to` of a list. Each is a date or a timestamp. A date as `to` includes that day; a timestamp is exclusive.
 * @throws ProblemError 400 when one is neither, or when the range is empty.
 */
export const readTimeRange = (query: { from?: string | undefined; to?: string | undefined }): TimeRange => {
  const read = (name: 'from' | 'to'): number | undefined => {
    const text = query[name]
    if (text === undefined) return undefined
    const ms = readMoment(text)
    if (ms === undefined) throw invalidFields([{ path: `query/${name}`, message: momentRule }])
    return name === 'to' && isDate(text) ? ms + dayMs : ms
  }
  const [from, before] = [read('from'), read('to')]
  if (from !== undefined && before !== undefined && from >= before)
    throw invalidFields([{ path: 'query/from', message: 'must be before `to`' }])
  const toDate = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms))
  return { from: toDate(from), before: toDate(before) }
}
