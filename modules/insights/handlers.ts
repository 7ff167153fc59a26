import type { FastifyInstance } from 'fastify'
import type { Db } from '../../plugins/database/types.ts'
import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import { fromCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/insights.ts'
import {
  findEndUsers,
  listTransactionsForForecast,
  refreshAccountsOf,
  syncTransactionsOf,
  type Viewer
} from '../linking/index.ts'
import { cashPosition } from './cash-position.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { insufficientHistory } from './errors.ts'
import {
  FEWEST_HISTORY_DAYS,
  InsufficientHistory,
  forecastCashFlow,
  type CashFlowForecast,
  type ForecastRequest
} from './forecast.ts'

/** Two years show everything that comes back yearly twice. */
const historyDays = 731

const tooLittle = (days: number) =>
  insufficientHistory(
    `A forecast needs ${FEWEST_HISTORY_DAYS} days of transactions on checking or savings accounts; there are ${days}.`,
    {
      days,
      required: FEWEST_HISTORY_DAYS
    }
  )

const onlyEndUser = async (db: Db, viewer: Viewer): Promise<string> => {
  const [only, another] = await findEndUsers(db, viewer, 2)
  if (only === undefined) throw tooLittle(0)
  if (another === undefined) return only
  throw validationFailed('Several end-users have linked accounts. Say with user_id whose forecast you want.', {
    errors: [{ path: 'query/user_id', message: 'is required when several end-users have linked accounts' }]
  })
}

const forecast = (request: ForecastRequest): CashFlowForecast => {
  try {
    return forecastCashFlow(request)
  } catch (error) {
    if (error instanceof InsufficientHistory) throw tooLittle(error.days)
    throw error
  }
}

const present = ({
  horizonDays,
  projectedMinBalanceCents,
  projectedMinDate,
  confidence,
  alerts,
  daily,
  recurring,
  shortfalls
}: CashFlowForecast) => ({
  horizon_days: horizonDays,
  projected_min_balance: fromCents(projectedMinBalanceCents),
  projected_min_date: projectedMinDate,
  confidence,
  alerts: alerts.map(({ type, date, amountCents, description }) => ({
    type,
    date,
    ...(amountCents === undefined ? {} : { amount: fromCents(amountCents) }),
    ...(description === undefined ? {} : { description })
  })),
  daily: daily.map(({ date, projectedBalanceCents, lowCents, highCents }) => ({
    date,
    projected_balance: fromCents(projectedBalanceCents),
    low: fromCents(lowCents),
    high: fromCents(highCents)
  })),
  recurring: recurring.map(({ description, cadence, amountCents, nextDate, direction }) => ({
    description,
    cadence,
    amount: fromCents(amountCents),
    next_date: nextDate,
    direction
  })),
  shortfalls: shortfalls.map(({ date, amountCents }) => ({ date, amount: fromCents(amountCents) }))
})

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  async getCashflowForecast({ db, query, caller }) {
    const userId = query.user_id ?? (await onlyEndUser(db, caller))
    const today = app.clock.now().toISOString().slice(0, 10)
    const lacksNews = await syncTransactionsOf(app, caller, userId)
    const accounts = await refreshAccountsOf(app, caller, userId)
    const position = cashPosition(
      accounts,
      await listTransactionsForForecast(db, caller, userId, dateOfDay(dayOfDate(today) - historyDays))
    )
    if (position === undefined) throw tooLittle(0)
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
      stale: stale || lacksNews,
      iso_currency_code: currency,
      current_balance: fromCents(balanceCents),
      ...present(result)
    }
  }
})
