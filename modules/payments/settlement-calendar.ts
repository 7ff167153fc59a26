import { DateTime } from 'luxon'
import { isFederalReserveHoliday } from '../../plugins/bank-holidays.ts'

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

const isBankingDay = (at: DateTime): boolean => at.weekday < 6 && !isFederalReserveHoliday(at.toISODate() as string)

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
