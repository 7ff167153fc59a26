import type { PresentTransaction } from '../linking/index.ts'
import { toBankTransaction } from './bank-transaction.ts'
import { forecastCashFlow, InsufficientHistory, type CashFlowForecast, type ForecastRequest } from './forecast.ts'

export interface ForecastTask extends Omit<ForecastRequest, 'transactions'> {
  /** A JSON array of `PresentTransaction`: copying text to the thread costs the event loop least. */
  transactionsJson: string
}

export type ForecastOutcome = { forecast: CashFlowForecast } | { availableDays: number }

/** The program of a worker thread. It loads the computation and nothing else of the server. */
const run = ({ transactionsJson, ...request }: ForecastTask): ForecastOutcome => {
  const transactions = (JSON.parse(transactionsJson) as PresentTransaction[]).map(toBankTransaction)
  try {
    return { forecast: forecastCashFlow({ ...request, transactions }) }
  } catch (error) {
    // An error loses its class on the way between threads.
    if (error instanceof InsufficientHistory) return { availableDays: error.days }
    throw error
  }
}

export default run
