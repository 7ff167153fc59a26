import { dayOfYearMonth, yearMonthOfDay } from '../../modules/insights/civil-date.ts'

/**
 * The seasonal naive forecast (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2) with the month as season: the net
 * flow of a day is that of the same day of the month before.
 * @param pastCents the net flow by day up to `lastDay`.
 */
export const seasonalNaive = (pastCents: Float64Array, lastDay: number, days: number): number[] =>
  Array.from({ length: days }, (_, index) => {
    let day = lastDay + 1 + index
    while (day > lastDay) {
      const { monthIndex, dayOfMonth } = yearMonthOfDay(day)
      day = dayOfYearMonth(monthIndex - 1, dayOfMonth)
    }
    return pastCents[pastCents.length - 1 - (lastDay - day)] ?? 0
  })
