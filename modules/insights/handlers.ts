import type { FastifyInstance } from 'fastify'
import type { Db } from '../../plugins/database/types.ts'
import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import { fromCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/insights.ts'
import { listEndUsers, listTransactions, refreshAccountsOf, syncTransactionsOf, type Viewer } from '../linking/index.ts'
import { cashPosition } from './cash-position.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { insufficientHistory } from './errors.ts'
import {
  minHistoryDays,
  InsufficientHistory,
  forecastCashFlow,
  type CashFlowForecast,
  type ForecastRequest
} from './forecast.ts'
import { toForecast } from './wire.ts'

/** Two years contain every yearly payment twice. */
const historyDays = 731

const readOnlyEndUser = async (db: Db, viewer: Viewer): Promise<string> => {
  const [only, another] = await listEndUsers(db, viewer, 2)
  if (only === undefined) throw insufficientHistory(0, minHistoryDays)
  if (another === undefined) return only
  throw validationFailed('Several end-users have linked accounts. Choose one with user_id.', {
    errors: [{ path: 'query/user_id', message: 'is required when several end-users have linked accounts' }]
  })
}

const forecast = (request: ForecastRequest): CashFlowForecast => {
  try {
    return forecastCashFlow(request)
  } catch (error) {
    if (error instanceof InsufficientHistory) throw insufficientHistory(error.days, minHistoryDays)
    throw error
  }
}

type Dependencies = Pick<FastifyInstance, 'clock' | 'database' | 'outbox' | 'plaid' | 'secrets'>

export const handlers = (app: Dependencies): Handlers<typeof operations> => ({
  async getCashflowForecast({ db, query, caller }) {
    const userId = query.user_id ?? (await readOnlyEndUser(db, caller))
    const today = app.clock.now().toISOString().slice(0, 10)
    const isSyncIncomplete = await syncTransactionsOf(app, caller, userId)
    const accounts = await refreshAccountsOf(app, caller, userId)
    const since = dateOfDay(dayOfDate(today) - historyDays)
    const position = cashPosition(accounts, await listTransactions(db, caller, userId, since))
    if (position === undefined) throw insufficientHistory(0, minHistoryDays)
    const { balanceCents, currency, asOf, stale, transactions } = position
    const result = forecast({
      transactions,
      currentBalanceCents: balanceCents,
      asOf: today,
      horizonDays: query.horizon_days
    })
    return {
      user_id: userId,
      as_of: asOf.toISOString(),
      stale: stale || isSyncIncomplete,
      iso_currency_code: currency,
      current_balance: fromCents(balanceCents),
      ...toForecast(result)
    }
  }
})
