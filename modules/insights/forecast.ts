import { findAlerts, findShortfalls, type CashFlowAlert, type DailyProjection, type Shortfall } from './alerts.ts'
import { backtest } from './backtest.ts'
import { readTransactions, type BankTransaction, type DatedTransaction } from './bank-transaction.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { project, readHistory } from './projection.ts'
import { describeStreams, type RecurringStream } from './recurring.ts'

export interface ForecastRequest {
  /** Of exactly those accounts whose balances add up to `currentBalanceCents`; positive when money leaves the account. */
  transactions: readonly BankTransaction[]
  /** At the end of `asOf`, net of all booked and pending transactions. */
  currentBalanceCents: number
  /** YYYY-MM-DD */
  asOf: string
  /** 1 to 366. */
  horizonDays: number
}

export interface CashFlowForecast {
  horizonDays: number
  /** One entry per day from asOf + 1 to asOf + horizonDays. */
  daily: DailyProjection[]
  projectedMinBalanceCents: number
  /** The first day with the lowest projected balance. */
  projectedMinDate: string
  /** 0..1, from the backtest on this history. */
  confidence: number
  recurring: RecurringStream[]
  alerts: CashFlowAlert[]
  shortfalls: Shortfall[]
}

export const minHistoryDays = 14
const maxHorizonDays = 366
const typicalOutflowDays = 91

/** There are fewer than 14 days from the first transaction to `asOf`, inclusive. */
export class InsufficientHistory extends Error {
  override readonly name = 'InsufficientHistory'
  constructor(readonly days: number) {
    super(`a forecast needs ${minHistoryDays} days of transactions; there are ${days}`)
  }
}

/** Mean weekly outflow over the last 13 weeks, or over a shorter history, without internal transfers. */
const weeklyOutflowCents = (
  transactions: readonly DatedTransaction[],
  asOfDay: number,
  historyDays: number
): number => {
  const days = Math.min(typicalOutflowDays, historyDays)
  let outflow = 0
  for (const { day, amountCents, internal } of transactions) {
    if (!internal && amountCents > 0 && day > asOfDay - days) outflow += amountCents
  }
  return Math.round((outflow * 7) / days)
}

/**
 * Projects the balance day by day: recurring streams on their dates and everything else by weekday, with an 80 % band that a backtest
 * on the same history calibrates. Deterministic and independent of the order of the transactions.
 * @throws InsufficientHistory, and RangeError or TypeError for invalid dates, horizons and amounts.
 */
export const forecastCashFlow = ({
  transactions,
  currentBalanceCents,
  asOf,
  horizonDays
}: ForecastRequest): CashFlowForecast => {
  if (!Number.isInteger(horizonDays) || horizonDays < 1 || horizonDays > maxHorizonDays) {
    throw new RangeError(`horizonDays must be a whole number from 1 to ${maxHorizonDays}: ${horizonDays}`)
  }
  if (!Number.isSafeInteger(currentBalanceCents))
    throw new TypeError(`currentBalanceCents is not an integer: ${currentBalanceCents}`)
  const asOfDay = dayOfDate(asOf)
  const ordered = readTransactions(transactions, asOfDay)
  const first = ordered[0]
  const historyDays = first ? asOfDay - first.day + 1 : 0
  if (historyDays < minHistoryDays) throw new InsufficientHistory(historyDays)

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
