/**
 * Civil-date arithmetic. A day is the number of days since 1970-01-01. No time zones are involved, because banks book on calendar
 * dates.
 */

const msPerDay = 86_400_000
const datePattern = /^\d{4}-\d{2}-\d{2}$/

/** The day number of a `YYYY-MM-DD` date. @throws RangeError for an invalid date. */
export const dayOfDate = (date: string): number => {
  const ms = datePattern.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  const day = ms / msPerDay
  if (!Number.isInteger(day) || dateOfDay(day) !== date) throw new RangeError(`not a calendar date: ${date}`)
  return day
}

/** The `YYYY-MM-DD` date of a day number. */
export const dateOfDay = (day: number): string => new Date(day * msPerDay).toISOString().slice(0, 10)

/** 0 = Sunday … 6 = Saturday. Day 0 was a Thursday. */
export const weekdayOfDay = (day: number): number => (((day + 4) % 7) + 7) % 7

export interface YearMonth {
  /** Months since January of year 0. */
  monthIndex: number
  dayOfMonth: number
}

/** Splits a day number into month index and day of the month (Howard Hinnant's civil_from_days, in integers). */
export const yearMonthOfDay = (day: number): YearMonth => {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 2 : marchMonth - 10
  const year = yearOfEra + era * 400 + (month <= 1 ? 1 : 0)
  return { monthIndex: year * 12 + month, dayOfMonth }
}

/** The day number of the first day of a month. */
const firstDayOfMonth = (monthIndex: number): number => {
  const year = Math.floor(monthIndex / 12)
  const month = monthIndex - year * 12
  const marchYear = month <= 1 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const marchMonth = month > 1 ? month - 2 : month + 10
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5)
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The day number of a day in a month; a day past its end (April 31) is the last day of the month. */
export const dayOfYearMonth = (monthIndex: number, dayOfMonth: number): number => {
  const first = firstDayOfMonth(monthIndex)
  return dayOfMonth <= 28
    ? first + dayOfMonth - 1
    : Math.min(first + dayOfMonth - 1, firstDayOfMonth(monthIndex + 1) - 1)
}
