import type { FastifyInstance } from 'fastify'
import type { Viewer } from '../../plugins/access/viewer.ts'
import type { Db } from '../../plugins/database/types.ts'
import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import { fromCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/insights.ts'
import {
  listEndUsers,
  readFeedHead,
  readTransactionsJson,
  refreshAccountsOf,
  syncTransactionsOf
} from '../linking/index.ts'
import { cashPosition } from './cash-position.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { insufficientHistory } from './errors.ts'
import type { createForecasts } from './forecasts.ts'
import { minHistoryDays } from './forecast.ts'
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

type Dependencies = Pick<FastifyInstance, 'clock' | 'database' | 'log' | 'outbox' | 'plaid' | 'secrets'>

export const handlers = (
  app: Dependencies,
  forecast: ReturnType<typeof createForecasts>
): Handlers<typeof operations> => ({
  async getCashflowForecast({ db, query, caller }) {
    const userId = query.user_id ?? (await readOnlyEndUser(db, caller))
    const today = app.clock.now().toISOString().slice(0, 10)
    const isSyncIncomplete = await syncTransactionsOf(app, caller, userId)
    const position = cashPosition(await refreshAccountsOf(app, caller, userId))
    if (position === undefined) throw insufficientHistory(0, minHistoryDays)
    const { balanceCents, currency, accountIds } = position
    const { partnerId, environments } = caller
    const subject = {
      partnerId,
      environments,
      userId,
      accountIds,
      feedHead: await readFeedHead(db, partnerId, userId),
      currentBalanceCents: balanceCents,
      asOf: today,
      horizonDays: query.horizon_days
    }
    const since = dateOfDay(dayOfDate(today) - historyDays)
    const outcome = await forecast(subject, () => readTransactionsJson(db, caller, userId, accountIds, since))
    if ('availableDays' in outcome) throw insufficientHistory(outcome.availableDays, minHistoryDays)
    return {
      user_id: userId,
      as_of: position.asOf.toISOString(),
      stale: position.stale || isSyncIncomplete,
      iso_currency_code: currency,
      current_balance: fromCents(balanceCents),
      ...toForecast(outcome.forecast)
    }
  }
})
