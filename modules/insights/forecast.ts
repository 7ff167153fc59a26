import {
  findAlerts,
  findShortfalls,
  type AlertBasis,
  type CashFlowAlert,
  type DailyProjection,
  type Shortfall
} from './alerts.ts'
import { backtest } from './backtest.ts'
import { readTransactions, type BankTransaction, type DatedTransaction } from './bank-transaction.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { project, readHistory } from './projection.ts'
import { describeStreams, type RecurringStream } from './recurring.ts'

export interface ForecastRequest {
  /** Of exactly those accounts whose balances add up to `currentBalanceCents`; positive when money leaves the account. */
  transactions: readonly BankTransaction[]
  /** At the end of `asOf`: net of all pending transactions, of any date, and of those booked until `asOf`. */
  currentBalanceCents: number
  /** YYYY-MM-DD */
  asOf: string
  /** 1 to 366. */
  horizonDays: number
}

export interface CashFlowForecast {
  horizonDays: number
  currentBalanceCents: number
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
  /** What holds for the whole forecast, in sentences. */
  assumptions: string[]
  /** The mean net change of the balance per day so far: a naive forecast to compare with. */
  meanDailyFlowCents: number
  weeklyOutflowCents: number
  usualSpendingIds: string[]
}

export const minHistoryDays = 14
const maxHorizonDays = 366
const typicalOutflowDays = 91
const mostSpendingIds = 5

/** There are fewer than 14 days from the first transaction to `asOf`, inclusive. */
export class InsufficientHistory extends Error {
  override readonly name = 'InsufficientHistory'
  constructor(readonly days: number) {
    super(`a forecast needs ${minHistoryDays} days of transactions; there are ${days}`)
  }
}

/** The outflows of the last 13 weeks, or of a shorter history, without own transfers. */
const usualSpending = (transactions: readonly DatedTransaction[], asOfDay: number, historyDays: number) => {
  const days = Math.min(typicalOutflowDays, historyDays)
  const outflows = transactions.filter(
    ({ day, amountCents, internal }) => !internal && amountCents > 0 && day > asOfDay - days && day <= asOfDay
  )
  const total = outflows.reduce((sum, { amountCents }) => sum + amountCents, 0)
  const largest = outflows.sort((a, b) => b.amountCents - a.amountCents).slice(0, mostSpendingIds)
  return {
    weeklyOutflowCents: Math.round((total * 7) / days),
    usualSpendingIds: largest.map(({ transactionId }) => transactionId)
  }
}

const assumptionsOf = (transactions: readonly DatedTransaction[], asOfDay: number): string[] => {
  const isAhead = ({ day, pending }: DatedTransaction) => day > asOfDay && !pending
  return [
    ...(transactions.some(({ pending }) => pending) ? ['The current balance is net of pending transactions.'] : []),
    ...(transactions.some(isAhead) ? ['Transactions that are booked ahead happen on their dates.'] : []),
    ...(transactions.some(({ internal }) => internal)
      ? ['Transfers between the end-user’s own accounts are neither income nor spending.']
      : [])
  ]
}

const checkRequest = ({ horizonDays, currentBalanceCents }: ForecastRequest): void => {
  if (!Number.isInteger(horizonDays) || horizonDays < 1 || horizonDays > maxHorizonDays)
    throw new RangeError(`horizonDays must be a whole number from 1 to ${maxHorizonDays}: ${horizonDays}`)
  if (!Number.isSafeInteger(currentBalanceCents))
    throw new TypeError(`currentBalanceCents is not an integer: ${currentBalanceCents}`)
}

/** What follows from the daily balances: the lowest one, alerts and shortfalls. */
export const consequencesOf = (basis: AlertBasis) => {
  const { daily } = basis
  const lowest = daily.reduce((least, day) => (day.projectedBalanceCents < least.projectedBalanceCents ? day : least))
  return {
    projectedMinBalanceCents: lowest.projectedBalanceCents,
    projectedMinDate: lowest.date,
    alerts: findAlerts(basis),
    shortfalls: findShortfalls(daily)
  }
}

/**
 * Projects the balance day by day: recurring streams on their dates and everything else by weekday, with an 80 % band that a backtest
 * on the same history calibrates. Deterministic and independent of the order of the transactions.
 * @throws InsufficientHistory, and RangeError or TypeError for invalid dates, horizons and amounts.
 */
export const forecastCashFlow = (request: ForecastRequest): CashFlowForecast => {
  checkRequest(request)
  const { currentBalanceCents, horizonDays } = request
  const asOfDay = dayOfDate(request.asOf)
  const ordered = readTransactions(request.transactions, asOfDay + horizonDays)
  const first = ordered[0]
  const historyDays = first ? Math.max(0, asOfDay - first.day + 1) : 0
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
  const recurring = describeStreams(streams, asOfDay, asOfDay + horizonDays)
  const spending = usualSpending(ordered, asOfDay, historyDays)
  const assumptions = assumptionsOf(ordered, asOfDay)
  const netCents = history.dailyNetCents.reduce((sum, cents) => sum + cents, 0)
  return {
    horizonDays,
    currentBalanceCents,
    daily,
    confidence,
    recurring,
    assumptions,
    meanDailyFlowCents: Math.round(netCents / historyDays),
    ...spending,
    ...consequencesOf({ daily, recurring, currentBalanceCents, assumptions, ...spending })
  }
}
