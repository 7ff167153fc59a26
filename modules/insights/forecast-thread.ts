import type { PresentTransaction } from '../linking/index.ts'
import { countedDays, judgeForecasts, mostCounted, type Accuracy, type KeptForecast } from './accuracy.ts'
import { toBankTransaction } from './bank-transaction.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { forecastCashFlow, InsufficientHistory, type CashFlowForecast } from './forecast.ts'
import { spendableBalance, withoutBookedPending, type AccountBalance } from './spendable-balance.ts'

export interface ForecastTask {
  /** A JSON array of `PresentTransaction`: copying text to the thread costs the event loop least. */
  transactionsJson: string
  currency: string
  accounts: AccountBalance[]
  /** YYYY-MM-DD */
  asOf: string
  horizonDays: number
}

export type ForecastOutcome =
  /** `countedIds`: the transactions of the last and the next days that the balance contains. */
  { forecast: CashFlowForecast; countedIds: string[] } | { availableDays: number }

export interface AccuracyTask {
  forecasts: KeptForecast[]
  transactionsJson: string
  currency: string
  /** YYYY-MM-DD */
  today: string
}

/** The rows of one currency; rows without one are in that of their account. */
const readRows = (json: string, currency: string): PresentTransaction[] =>
  withoutBookedPending(JSON.parse(json) as PresentTransaction[]).filter(
    ({ isoCurrencyCode }) => isoCurrencyCode === null || isoCurrencyCode === currency
  )

const forecast = ({ transactionsJson, currency, accounts, asOf, horizonDays }: ForecastTask): ForecastOutcome => {
  const rows = readRows(transactionsJson, currency)
  const transactions = rows.map(toBankTransaction)
  const currentBalanceCents = spendableBalance(accounts, transactions)
  const from = dateOfDay(dayOfDate(asOf) - countedDays)
  const counted = rows.filter(({ date, pending }) => date >= from && (date <= asOf || pending))
  try {
    return {
      forecast: forecastCashFlow({ transactions, currentBalanceCents, asOf, horizonDays }),
      countedIds: counted.slice(0, mostCounted).map(({ id }) => id)
    }
  } catch (error) {
    // An error loses its class on the way between threads.
    if (error instanceof InsufficientHistory) return { availableDays: error.days }
    throw error
  }
}

/** The program of a worker thread. It loads the computation and nothing else of the server. */
const run = (task: ForecastTask | AccuracyTask): ForecastOutcome | Accuracy =>
  'forecasts' in task
    ? judgeForecasts(task.forecasts, readRows(task.transactionsJson, task.currency), task.today)
    : forecast(task)

export default run
