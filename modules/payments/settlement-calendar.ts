import { DateTime } from 'luxon'

/** Plaid's names of the networks. */
export type Network = 'ach' | 'same-day-ach' | 'rtp'

/** The time zone of the Federal Reserve's and Plaid's cut-offs. */
const zone = 'America/New_York'
/** Plaid's daily cut-offs, in minutes after midnight (Plaid's reference of `network`). */
const sameDayCutOffMinutes = 15 * 60
const standardCutOffMinutes = 20 * 60 + 30
/** The Federal Reserve's settlement times for the last same-day window and for standard entries (FedACH processing schedule). */
const sameDaySettlement = { hour: 18, minute: 0 }
const standardSettlement = { hour: 8, minute: 30 }
const standardBankingDays = 2
/** An instant payment arrives within seconds; a minute allows for the network's own timeout. */
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

/** A Sunday holiday moves to Monday; for a Saturday holiday the banks stay open on Friday. */
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

/** Cache by year. */
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

/** The banking day on which a payment sent at this moment is processed. */
const processingDay = (at: DateTime, cutOffMinutes: number): DateTime =>
  (isBankingDay(at) && minutesOf(at) < cutOffMinutes ? at : addBankingDays(at, 1)).startOf('day')

const inNewYork = (at: Date): DateTime => DateTime.fromJSDate(at, { zone })

/** Whether a payment sent at this moment is still processed as same-day ACH today. */
export const isSameDayOpen = (at: Date): boolean => {
  const local = inNewYork(at)
  return isBankingDay(local) && minutesOf(local) < sameDayCutOffMinutes
}

/** When a payment sent at this moment settles on its network. */
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
