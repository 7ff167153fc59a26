import type { Db } from '../../plugins/database/types.ts'
import { readTransactionsJson, type LinkingDependencies } from '../linking/index.ts'
import { countedDays, type Accuracy } from './accuracy.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import type { Forecasts } from './forecasts.ts'
import { listForecasts } from './queries.ts'
import { readPosition, type ForecastCaller, type ForecastWish } from './subject.ts'

/** How the kept forecasts of an end-user fared. */
export interface EndUserAccuracy extends Accuracy {
  userId: string
  currency: string
  forecasts: number
  /** YYYY-MM-DD; null without a forecast. */
  firstDate: string | null
}

/**
 * Judges the kept forecasts of an end-user by the transactions that came since. Forecasts on an account that is no longer linked have
 * no outcome.
 * @throws ProblemError as `readPosition`, and 429 `too_many_forecasts`.
 */
export const readAccuracy = async (
  app: LinkingDependencies,
  db: Db,
  caller: ForecastCaller,
  forecasts: Forecasts,
  wish: ForecastWish
): Promise<EndUserAccuracy> => {
  const { userId, today, position } = await readPosition(app, db, caller, wish, 'query')
  const { currency } = position
  const kept = await listForecasts(db, caller, userId, currency)
  const linked = new Set(position.accounts.map(({ id }) => id))
  const judgeable = kept.filter(({ accountIds }) => accountIds.every((id) => linked.has(id)))
  const firstDate = kept.at(-1)?.day ?? null
  const since = dateOfDay(dayOfDate(firstDate ?? today) - countedDays)
  const judged = await forecasts.judge(caller.partnerId, async () => ({
    forecasts: judgeable,
    transactionsJson: await readTransactionsJson(db, caller, userId, [...linked], since),
    currency,
    today
  }))
  return { userId, currency, forecasts: kept.length, firstDate, ...judged }
}
