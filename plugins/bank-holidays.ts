/** The bank holidays of the Federal Reserve. Pure calendar arithmetic, so that worker threads can load it without a library. */

const msPerDay = 86_400_000
const monday = 1
const thursday = 4

const utc = (year: number, month: number, day: number): Date => new Date(Date.UTC(year, month - 1, day))
const plusDays = (date: Date, days: number): Date => new Date(date.getTime() + days * msPerDay)

/** The `ordinal`th `weekday` of a month (1 = Monday); its last one for -1. */
const nthWeekday = (year: number, month: number, weekday: number, ordinal: 1 | 2 | 3 | 4 | -1): Date => {
  if (ordinal === -1) {
    const end = utc(year, month + 1, 0)
    return plusDays(end, -((end.getUTCDay() - weekday + 7) % 7))
  }
  const first = utc(year, month, 1)
  return plusDays(first, ((weekday - first.getUTCDay() + 7) % 7) + (ordinal - 1) * 7)
}

/** A Sunday holiday moves to Monday; for a Saturday holiday the banks stay open on Friday. */
const fixedHoliday = (year: number, month: number, day: number): Date => {
  const date = utc(year, month, day)
  return date.getUTCDay() === 0 ? plusDays(date, 1) : date
}

/** The days of a year on which the Federal Reserve Banks are closed, as `YYYY-MM-DD` (https://www.frbservices.org/about/holiday-schedules). */
export const federalReserveHolidays = (year: number): string[] =>
  [
    fixedHoliday(year, 1, 1),
    nthWeekday(year, 1, monday, 3),
    nthWeekday(year, 2, monday, 3),
    nthWeekday(year, 5, monday, -1),
    fixedHoliday(year, 6, 19),
    fixedHoliday(year, 7, 4),
    nthWeekday(year, 9, monday, 1),
    nthWeekday(year, 10, monday, 2),
    fixedHoliday(year, 11, 11),
    nthWeekday(year, 11, thursday, 4),
    fixedHoliday(year, 12, 25)
  ].map((date) => date.toISOString().slice(0, 10))

/** Cache by year. */
const holidays = new Map<number, Set<string>>()

/** Whether the Federal Reserve Banks are closed on a `YYYY-MM-DD` date for a holiday; weekends are none. */
export const isFederalReserveHoliday = (date: string): boolean => {
  const year = Number(date.slice(0, 4))
  let known = holidays.get(year)
  if (known === undefined) {
    known = new Set(federalReserveHolidays(year))
    holidays.set(year, known)
  }
  return known.has(date)
}
