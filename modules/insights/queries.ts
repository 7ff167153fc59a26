import { sql } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'
import { viewOf, type Viewer } from '../../plugins/access/viewer.ts'
import { toRow, type FieldsOf } from '../../plugins/database/rows.ts'
import type { Db } from '../../plugins/database/types.ts'
import { judgedDaysAhead, type KeptForecast } from './accuracy.ts'
import './tables.ts'

/** The number of forecasts of an end-user that are kept. */
const mostKept = 200
const mostOfDay = 8

interface EndUser {
  partnerId: string
  environment: Environment
  userId: string
}

/** Finds the time zone that was last sent for an end-user. */
export const findTimeZone = async (
  db: Db,
  { partnerId, environment, userId }: EndUser
): Promise<string | undefined> => {
  const row = await db
    .selectFrom('end_user_time_zones')
    .select('time_zone as timeZone')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', environment)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row?.timeZone
}

/** Remembers the time zone of an end-user. */
export const saveTimeZone = async (db: Db, endUser: EndUser, timeZone: string): Promise<void> => {
  await db
    .insertInto('end_user_time_zones')
    .values(toRow({ ...endUser, timeZone }))
    .onConflict((conflict) =>
      conflict
        .columns(['partner_id', 'environment', 'user_id'])
        .doUpdateSet({ time_zone: timeZone })
        .where('end_user_time_zones.time_zone', '!=', timeZone)
    )
    .execute()
}

export type StoredForecast = FieldsOf<'served_forecasts'>

type ForecastKey = Pick<StoredForecast, 'partnerId' | 'view' | 'userId' | 'day' | 'currency' | 'horizonDays'>

/** Finds the id of a kept forecast that has the same basis. */
export const findSameForecast = async (
  db: Db,
  key: ForecastKey & Pick<StoredForecast, 'basis'>
): Promise<string | undefined> => {
  const row = await db
    .selectFrom('served_forecasts')
    .select('id')
    .where('partner_id', '=', key.partnerId)
    .where('view', '=', key.view)
    .where('user_id', '=', key.userId)
    .where('day', '=', key.day)
    .where('currency', '=', key.currency)
    .where('horizon_days', '=', key.horizonDays)
    .where('basis', '=', key.basis)
    .executeTakeFirst()
  return row?.id
}

const keyColumns = ['partner_id', 'view', 'user_id', 'day', 'currency', 'horizon_days'] as const

/**
 * Keeps a forecast in the place of an earlier one of the same day, currency and horizon. Of one day it keeps eight at most, and of all days the newest 200, so
 * that forecasts with many horizons do not displace those of other days.
 * @returns its id.
 */
export const keepForecast = async (db: Db, forecast: StoredForecast): Promise<string> => {
  const { partner_id, view, user_id, day, currency, horizon_days, id, ...result } = toRow(forecast)
  const stored = await db
    .insertInto('served_forecasts')
    .values({ id, partner_id, view, user_id, day, currency, horizon_days, ...result })
    .onConflict((conflict) => conflict.columns(keyColumns).doUpdateSet(result))
    .returning('id')
    .executeTakeFirstOrThrow()
  if (stored.id === id) {
    await sql`delete from served_forecasts where id = any(array(
      select id from served_forecasts
      where partner_id = ${partner_id} and view = ${view} and user_id = ${user_id} and day = ${day} and id <> ${id}
      order by currency, horizon_days offset ${sql.lit(mostOfDay - 1)}))`.execute(db)
    await sql`delete from served_forecasts where id = any(array(
      select id from served_forecasts where partner_id = ${partner_id} and view = ${view} and user_id = ${user_id}
      order by day desc, currency, horizon_days offset ${sql.lit(mostKept)}))`.execute(db)
  }
  return stored.id
}

/** The points of a forecast that are judged, as a JSON array. */
const points = sql<KeptForecast['points']>`(
  select coalesce(json_agg(json_build_object('daysAhead', ahead, 'projectedCents', projected_cents[ahead], 'lowCents', low_cents[ahead], 'highCents', high_cents[ahead])), '[]')
  from unnest(array[${sql.join(judgedDaysAhead.map((days) => sql.lit(days)))}]) as ahead where ahead <= horizon_days)`

/** Lists the kept forecasts of an end-user in one currency, the newest first. */
export const listForecasts = async (
  db: Db,
  viewer: Viewer,
  userId: string,
  currency: string
): Promise<KeptForecast[]> =>
  await db
    .selectFrom('served_forecasts')
    .select([
      'id',
      'day',
      'account_ids as accountIds',
      'balance_cents as balanceCents',
      'mean_daily_flow_cents as meanDailyFlowCents',
      'counted_ids as countedIds',
      points.as('points')
    ])
    .where('partner_id', '=', viewer.partnerId)
    .where('view', '=', viewOf(viewer))
    .where('user_id', '=', userId)
    .where('currency', '=', currency)
    .orderBy('day', 'desc')
    .orderBy('horizon_days')
    .limit(mostKept)
    .execute()

/** Deletes up to `limit` forecasts of days before `before` (YYYY-MM-DD). @returns how many. */
export const deleteOldForecasts = async (db: Db, before: string, limit: number): Promise<number> => {
  const { numAffectedRows } = await sql`delete from served_forecasts where id = any(array(
    select id from served_forecasts where day < ${before}::date order by day limit ${sql.lit(limit)}))`.execute(db)
  return Number(numAffectedRows ?? 0n)
}
