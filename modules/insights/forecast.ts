import { findAlerts, findShortfalls, type CashFlowAlert, type DailyProjection, type Shortfall } from './alerts.ts'
import { backtest } from './backtest.ts'
import { readTransactions, type BankTransaction, type DatedTransaction } from './bank-transaction.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { project, readHistory } from './projection.ts'
import { describeStreams, type RecurringStream } from './recurring.ts'

export interface ForecastRequest {
  /** Of exactly those accounts whose balances make up `currentBalanceCents`; Plaid's sign (positive = money leaves). */
  transactions: readonly BankTransaction[]
  /** At the end of `asOf`, with everything booked or pending up to then taken off. */
  currentBalanceCents: number
  /** YYYY-MM-DD */
  asOf: string
  /** 1 to 366. */
  horizonDays: number
}

export interface CashFlowForecast {
  horizonDays: number
  /** One row for each of the days asOf + 1 … asOf + horizonDays. */
  daily: DailyProjection[]
  projectedMinBalanceCents: number
  /** The first day on which the projection is at its lowest. */
  projectedMinDate: string
  /** 0..1, earned by the backtest on this history. */
  confidence: number
  recurring: RecurringStream[]
  alerts: CashFlowAlert[]
  shortfalls: Shortfall[]
}

export const FEWEST_HISTORY_DAYS = 14
const LONGEST_HORIZON_DAYS = 366
const TYPICAL_OUTFLOW_DAYS = 91

/** There are fewer than 14 days from the first transaction to `asOf`, both counted. */
export class InsufficientHistory extends Error {
  override readonly name = 'InsufficientHistory'
  constructor(readonly days: number) {
    super(`a forecast needs ${FEWEST_HISTORY_DAYS} days of transactions; there are ${days}`)
  }
}

/** Mean outflow of seven days over the last 13 weeks, or over all there is; own transfers do not count. */
function weeklyOutflowCents(transactions: readonly DatedTransaction[], asOfDay: number, historyDays: number): number {
  const days = Math.min(TYPICAL_OUTFLOW_DAYS, historyDays)
  let outflow = 0
  for (const { day, amountCents, internal } of transactions) {
    if (!internal && amountCents > 0 && day > asOfDay - days) outflow += amountCents
  }
  return Math.round((outflow * 7) / days)
}

/**
 * Projects the balance day by day: recurring streams on their dates, everything else by weekday, inside an 80 % band that a backtest on
 * this very history has calibrated. Deterministic, and independent of the order of the transactions.
 * Throws InsufficientHistory, and RangeError or TypeError for dates, horizons and amounts that are none.
 */
export function forecastCashFlow({
  transactions,
  currentBalanceCents,
  asOf,
  horizonDays
}: ForecastRequest): CashFlowForecast {
  if (!Number.isInteger(horizonDays) || horizonDays < 1 || horizonDays > LONGEST_HORIZON_DAYS) {
    throw new RangeError(`horizonDays must be a whole number from 1 to ${LONGEST_HORIZON_DAYS}: ${horizonDays}`)
  }
  if (!Number.isSafeInteger(currentBalanceCents))
    throw new TypeError(`currentBalanceCents is not whole cents: ${currentBalanceCents}`)
  const asOfDay = dayOfDate(asOf)
  const ordered = readTransactions(transactions, asOfDay)
  const first = ordered[0]
  const historyDays = first ? asOfDay - first.day + 1 : 0
  if (historyDays < FEWEST_HISTORY_DAYS) throw new InsufficientHistory(historyDays)

  const history = readHistory(ordered, asOfDay)
  const { bands, confidence } = backtest(history, horizonDays)
  const { changeCents, scaleCents, streams } = project(history, asOfDay, horizonDays)
  const daily = bands.map(({ low, high }, index): DailyProjection => {
    const projected = currentBalanceCents + (changeCents[index] ?? 0)
    const scale = scaleCents[index] ?? 0
    return {
      date: dateOfDay(asOfDay + 1 + index),
      projectedBalanceCents: Math.round(projected),
      lowCents: Math.floor(projected + low * scale),
      highCents: Math.ceil(projected + high * scale)
    }
  })
  const lowest = daily.reduce((least, day) => (day.projectedBalanceCents < least.projectedBalanceCents ? day : least))
  const recurring = describeStreams(streams, asOfDay)
  return {
    horizonDays,
    daily,
    projectedMinBalanceCents: lowest.projectedBalanceCents,
    projectedMinDate: lowest.date,
    confidence,
    recurring,
    alerts: findAlerts(daily, recurring, currentBalanceCents, weeklyOutflowCents(ordered, asOfDay, historyDays)),
    shortfalls: findShortfalls(daily)
  }
}
