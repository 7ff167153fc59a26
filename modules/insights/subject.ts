import type { PartnerCaller, SessionCaller, TokenCaller } from '../../plugins/access/caller.ts'
import type { Viewer } from '../../plugins/access/viewer.ts'
import type { Db } from '../../plugins/database/types.ts'
import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import {
  listEndUsers,
  readFeedHead,
  readHistoryOf,
  readTransactionsJson,
  refreshAccountsOf,
  syncTransactionsOf,
  type LinkingDependencies
} from '../linking/index.ts'
import { cashPosition, type CashPosition } from './cash-position.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { insufficientHistory } from './errors.ts'
import { minHistoryDays, type CashFlowForecast } from './forecast.ts'
import type { Forecasts, ForecastSubject } from './forecasts.ts'
import { findTimeZone } from './queries.ts'
import { checkTimeZone, dateIn, defaultTimeZone } from './time-zone.ts'

/** What a request says about the forecast that it wants. */
export interface ForecastWish {
  user_id?: string
  currency?: string
  timezone?: string
}

export type ForecastCaller = PartnerCaller | TokenCaller | SessionCaller

const readOnlyEndUser = async (db: Db, viewer: Viewer, path: string): Promise<string> => {
  const [only, another] = await listEndUsers(db, viewer, 2)
  if (only === undefined) throw insufficientHistory(0, minHistoryDays)
  if (another === undefined) return only
  throw validationFailed('Several end-users have linked accounts. Choose one with user_id.', {
    errors: [{ path: `${path}/user_id`, message: 'is required when several end-users have linked accounts' }]
  })
}

export interface EndUserPosition {
  userId: string
  timeZone: string
  /** The end-user's day, as `YYYY-MM-DD`. */
  today: string
  position: CashPosition
  isSyncIncomplete: boolean
}

/**
 * Finds the end-user of a request with their spendable accounts, fresh from the banks, and their day.
 * @param path where in the request the wish is, for errors.
 * @throws ProblemError 400 for an unknown time zone or a missing `user_id`, 422 without spendable accounts, 502 without any data.
 */
export const readPosition = async (
  app: LinkingDependencies,
  db: Db,
  caller: ForecastCaller,
  wish: ForecastWish,
  path: 'query' | 'body'
): Promise<EndUserPosition> => {
  const { partnerId, environment } = caller
  const wished = wish.timezone === undefined ? undefined : checkTimeZone(wish.timezone, `${path}/timezone`)
  const userId = wish.user_id ?? (await readOnlyEndUser(db, caller, path))
  const timeZone = wished ?? (await findTimeZone(db, { partnerId, environment, userId })) ?? defaultTimeZone
  const isSyncIncomplete = await syncTransactionsOf(app, caller, userId)
  const position = cashPosition(await refreshAccountsOf(app, caller, userId), wish.currency)
  if (position === undefined) throw insufficientHistory(0, minHistoryDays)
  return { userId, timeZone, today: dateIn(timeZone, app.clock.now()), position, isSyncIncomplete }
}

/** Two years contain every yearly payment twice. */
const historyDays = 731

/** A forecast that was computed for a request. */
export interface ServedForecast {
  endUser: EndUserPosition
  subject: ForecastSubject
  forecast: CashFlowForecast
  /** The latest transactions that the balance of the forecast contains. */
  countedIds: string[]
}

/**
 * Computes the forecast that a request wants, or finds it in the cache.
 * @throws ProblemError as `readPosition`, 422 `insufficient_history` and 429 `too_many_forecasts`.
 */
export const computeForecast = async (
  app: LinkingDependencies,
  db: Db,
  caller: ForecastCaller,
  forecasts: Forecasts,
  wish: ForecastWish & { horizon_days: number },
  path: 'query' | 'body'
): Promise<ServedForecast> => {
  const { partnerId, environments } = caller
  const endUser = await readPosition(app, db, caller, wish, path)
  const { userId, timeZone, today, position } = endUser
  const subject = {
    partnerId,
    environments,
    userId,
    timeZone,
    accounts: position.accounts,
    currency: position.currency,
    feedHead: await readFeedHead(db, partnerId, userId),
    asOf: today,
    horizonDays: wish.horizon_days
  }
  const accountIds = position.accounts.map(({ id }) => id)
  const since = dateOfDay(dayOfDate(today) - historyDays)
  const outcome = await forecasts.forecast(subject, () => readTransactionsJson(db, caller, userId, accountIds, since))
  if ('availableDays' in outcome) throw insufficientHistory(outcome.availableDays, minHistoryDays)
  const isComplete = (await readHistoryOf(db, caller, userId)) === 'complete'
  const { forecast, countedIds } = outcome
  const assumptions = isComplete ? forecast.assumptions : [...forecast.assumptions, stillLoading]
  return { endUser, subject, forecast: { ...forecast, assumptions }, countedIds }
}

const stillLoading = 'The bank still delivers older transactions; what only they show is missing.'
