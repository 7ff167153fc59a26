/** Milliseconds of a day and of an hour. The simulator's calendar is UTC throughout. */
export const dayMs = 86_400_000
export const hourMs = 3_600_000

/** Changes become visible four times a day, when the aggregator polls the banks. */
export const updateIntervalMs = 6 * hourMs

/** The day of a moment, counted from 1970-01-01. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs)

/** `YYYY-MM-DD` of a moment. */
export const isoDate = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** The weekday; 0 is Sunday, and 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7

const isBusinessDay = (day: number): boolean => weekdayOf(day) !== 0 && weekdayOf(day) !== 6

/** The day `count` business days (Monday to Friday) after `day`. Bank holidays are not modelled. */
export const addBusinessDays = (day: number, count: number): number => {
  let result = day
  for (let left = count; left > 0;) {
    result++
    if (isBusinessDay(result)) left--
  }
  return result
}

/** Year, month (1 to 12), day of the month, and the month's length. */
export const calendarOf = (day: number) => {
  const date = new Date(day * dayMs)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth() + 1
  return { year, month, dayOfMonth: date.getUTCDate(), daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate() }
}
