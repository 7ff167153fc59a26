import { DateTime } from 'luxon'
import type { Network } from './rails.ts'

/** Where the Federal Reserve's and Plaid's cut-offs are told. */
const zone = 'America/New_York'
/** Plaid's cut-offs of the day, in minutes after midnight (its reference of `network`). */
const sameDayCutOffMinutes = 15 * 60
const standardCutOffMinutes = 20 * 60 + 30
/** When the Federal Reserve settles: the last same-day window, and the morning of ordinary entries (its FedACH processing schedule). */
const sameDaySettlement = { hour: 18, minute: 0 }
const standardSettlement = { hour: 8, minute: 30 }
const standardBankingDays = 2
/** An instant payment is there within seconds; a minute leaves room for the network's own time-out. */
const instantMs = 60_000

const monday = 1
const thursday = 4

/** The `ordinal`th `weekday` of a month (1 = Monday); counted from its end when negative. */
const nthWeekday = (year: number, month: number, weekday: number, ordinal: number): DateTime => {
  if (ordinal < 0) {
    const end = DateTime.utc(year, month).endOf('month').startOf('day')
    return end.minus({ days: (end.weekday - weekday + 7) % 7 })
  }
  const begin = DateTime.utc(year, month, 1)
  return begin.plus({ days: ((weekday - begin.weekday + 7) % 7) + (ordinal - 1) * 7 })
}

/** On a Sunday it is kept on Monday; on a Saturday the banks are open on the Friday before. */
const fixedHoliday = (year: number, month: number, day: number): DateTime => {
  const date = DateTime.utc(year, month, day)
  return date.weekday === 7 ? date.plus({ days: 1 }) : date
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
  ].map((date) => date.toISODate() as string)

/** By year; each of a transfer's estimates asks for the same one or two. */
const holidays = new Map<number, Set<string>>()

const holidaysOf = (year: number): Set<string> => {
  const known = holidays.get(year)
  if (known !== undefined) return known
  const found = new Set(federalReserveHolidays(year))
  holidays.set(year, found)
  return found
}

const isBankingDay = (at: DateTime): boolean => at.weekday < 6 && !holidaysOf(at.year).has(at.toISODate() as string)

const addBankingDays = (from: DateTime, count: number): DateTime => {
  let day = from
  for (let left = count; left > 0;) {
    day = day.plus({ days: 1 })
    if (isBankingDay(day)) left--
  }
  return day
}

const minutesOf = (at: DateTime): number => at.hour * 60 + at.minute

/** The banking day whose files a payment of this moment goes with. */
const processingDay = (at: DateTime, cutOffMinutes: number): DateTime =>
  (isBankingDay(at) && minutesOf(at) < cutOffMinutes ? at : addBankingDays(at, 1)).startOf('day')

const inNewYork = (at: Date): DateTime => DateTime.fromJSDate(at, { zone })

/** Whether a payment of this moment still goes with today's same-day files. */
export const isSameDayOpen = (at: Date): boolean => {
  const local = inNewYork(at)
  return isBankingDay(local) && minutesOf(local) < sameDayCutOffMinutes
}

/** When a payment that is sent at this moment settles on its network. */
export const settlementOf = (network: Network, at: Date): Date => {
  const local = inNewYork(at)
  switch (network) {
    case 'rtp':
      return new Date(at.getTime() + instantMs)
    case 'same-day-ach':
      return processingDay(local, sameDayCutOffMinutes).set(sameDaySettlement).toJSDate()
    case 'ach':
      return addBankingDays(processingDay(local, standardCutOffMinutes), standardBankingDays)
        .set(standardSettlement)
        .toJSDate()
  }
}
