import { viewOf, type Viewer } from '../../plugins/access/viewer.ts'
import type { Db } from '../../plugins/database/types.ts'
import { newId } from '../../plugins/ids.ts'
import { basisOf } from './forecasts.ts'
import { deleteOldForecasts, findSameForecast, keepForecast } from './queries.ts'
import type { ServedForecast } from './subject.ts'

/** Keeps a forecast that is served, unless the same one of the day is kept already. @returns its id. */
export const keep = async (
  db: Db,
  viewer: Viewer,
  { subject, forecast, countedIds }: ServedForecast,
  servedAt: Date
): Promise<string> => {
  const { partnerId, userId, asOf: day, currency, horizonDays } = subject
  const key = { partnerId, view: viewOf(viewer), userId, day, currency, horizonDays, basis: basisOf(subject) }
  const known = await findSameForecast(db, key)
  if (known !== undefined) return known
  return await keepForecast(db, {
    ...key,
    id: newId('fct'),
    servedAt,
    accountIds: subject.accounts.map(({ id }) => id),
    balanceCents: forecast.currentBalanceCents,
    meanDailyFlowCents: forecast.meanDailyFlowCents,
    projectedCents: forecast.daily.map(({ projectedBalanceCents }) => projectedBalanceCents),
    lowCents: forecast.daily.map(({ lowCents }) => lowCents),
    highCents: forecast.daily.map(({ highCents }) => highCents),
    countedIds
  })
}

/** How long forecasts are kept. */
const keptMs = 400 * 24 * 3_600_000
const deleteBatchSize = 1_000

/** Deletes the forecasts of more than 400 days ago. */
export const forgetOldForecasts = async (db: Db, now: Date): Promise<void> => {
  const before = new Date(now.getTime() - keptMs).toISOString().slice(0, 10)
  let deleted: number
  do {
    deleted = await deleteOldForecasts(db, before, deleteBatchSize)
  } while (deleted === deleteBatchSize)
}
