import { dateOfDay, dayOfYearMonth, weekdayOfDay, yearMonthOfDay } from './civil-date.ts'
import { isFederalReserveHoliday } from '../../plugins/bank-holidays.ts'

export type Cadence = 'weekly' | 'biweekly' | 'every_n_weeks' | 'semimonthly' | 'monthly' | 'every_n_months' | 'yearly'

/** Moves a due day on which banks are closed to the banking day before (-1) or after (1), or keeps it (0). */
export type Roll = -1 | 0 | 1

/**
 * When payments are due.
 * - `days`: every `periodDays` days from `anchorDay`; for a metered bill that is the latest payment.
 * - `month-days`: on these days of every `everyMonths`th month, from the month `phase`.
 * - `month-weekday`: on the `ordinal`th weekday of such a month (-1 = the last one).
 */
export type Schedule =
  | { kind: 'days'; anchorDay: number; periodDays: number }
  | { kind: 'month-days'; everyMonths: number; phase: number; daysOfMonth: number[]; roll: Roll }
  | { kind: 'month-weekday'; everyMonths: number; phase: number; weekday: number; ordinal: number; roll: Roll }

export const daysPerMonth = 30.44

/** The usual number of days between two due days. */
export const periodDaysOf = (schedule: Schedule): number =>
  schedule.kind === 'days'
    ? schedule.periodDays
    : (schedule.everyMonths * daysPerMonth) / (schedule.kind === 'month-days' ? schedule.daysOfMonth.length : 1)

/** The cadence, and the number of weeks or months between two due days; 1 for twice a month. */
export const cadenceOf = (schedule: Schedule): { cadence: Cadence; interval: number } => {
  if (schedule.kind === 'days') {
    const weeks = schedule.periodDays / 7
    if (!Number.isInteger(weeks)) return { cadence: 'monthly', interval: 1 }
    return { cadence: weeks === 1 ? 'weekly' : weeks === 2 ? 'biweekly' : 'every_n_weeks', interval: weeks }
  }
  const { everyMonths } = schedule
  if (schedule.kind === 'month-days' && schedule.daysOfMonth.length > 1) return { cadence: 'semimonthly', interval: 1 }
  const cadence = everyMonths === 1 ? 'monthly' : everyMonths === 12 ? 'yearly' : 'every_n_months'
  return { cadence, interval: everyMonths }
}

/** Caches by day; the days of a few years. */
const holidayByDay = new Map<number, boolean>()

const isHoliday = (day: number): boolean => {
  let known = holidayByDay.get(day)
  if (known === undefined) {
    known = isFederalReserveHoliday(dateOfDay(day))
    holidayByDay.set(day, known)
  }
  return known
}

/** Whether banks are closed: on weekends, and on the holidays of the Federal Reserve. */
export const isBankClosed = (day: number): boolean => {
  const weekday = weekdayOfDay(day)
  return weekday === 0 || weekday === 6 || isHoliday(day)
}

/** Moves a day on which banks are closed. */
export const rollDay = (day: number, roll: Roll): number => {
  let moved = day
  if (roll !== 0) while (isBankClosed(moved)) moved += roll
  return moved
}

/** The nth weekday of a month. */
const dayOfWeekday = (monthIndex: number, weekday: number, ordinal: number): number => {
  if (ordinal < 0) {
    const last = dayOfYearMonth(monthIndex + 1, 1) - 1
    return last - ((weekdayOfDay(last) - weekday + 7) % 7)
  }
  const first = dayOfYearMonth(monthIndex, 1)
  return first + ((weekday - weekdayOfDay(first) + 7) % 7) + 7 * (ordinal - 1)
}

/** The due days of a schedule between two days, inclusive and ascending. */
export const dueDays = (schedule: Schedule, fromDay: number, toDay: number): number[] => {
  const days: number[] = []
  if (schedule.kind === 'days') {
    const { anchorDay, periodDays } = schedule
    for (let step = Math.ceil((fromDay - anchorDay) / periodDays); ; step++) {
      const day = Math.round(anchorDay + step * periodDays)
      if (day > toDay) return days
      if (day >= fromDay) days.push(day)
    }
  }
  const { everyMonths, phase, roll } = schedule
  const latest = yearMonthOfDay(toDay).monthIndex + 1
  const earliest = yearMonthOfDay(fromDay).monthIndex - 1
  const firstMonth = earliest + ((((phase - earliest) % everyMonths) + everyMonths) % everyMonths)
  for (let month = firstMonth; month <= latest; month += everyMonths) {
    const nominal =
      schedule.kind === 'month-days'
        ? schedule.daysOfMonth.map((dayOfMonth) => dayOfYearMonth(month, dayOfMonth))
        : [dayOfWeekday(month, schedule.weekday, schedule.ordinal)]
    for (const day of nominal) {
      const rolled = rollDay(day, roll)
      if (rolled >= fromDay && rolled <= toDay) days.push(rolled)
    }
  }
  return days
}
