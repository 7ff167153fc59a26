import { sql, type Selection } from 'kysely'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import type { Database, Db } from '../../../plugins/database/types.ts'
import { mergeEnvironments } from '../../../plugins/paging/merged.ts'
import type { TimeRange } from '../../../plugins/time-range.ts'

const columns = [
  'id',
  'environment',
  'at',
  'actor_type as actorType',
  'actor_id as actorId',
  'operation_id as operationId',
  'method',
  'route',
  'resource_id as resourceId',
  'ip',
  'request_id as requestId'
] as const

export type Activity = Selection<Database, 'activity', (typeof columns)[number]>

export interface ActivityFilter extends TimeRange {
  actorId: string | undefined
  operationId: string | undefined
}

/** A position in the list, which is ordered by time, then by id. */
export interface ActivityPosition {
  at: Date
  id: number
}

const isNewer = (one: ActivityPosition, other: ActivityPosition): number =>
  other.at.getTime() - one.at.getTime() || other.id - one.id

/** Lists up to `limit` activity entries that a caller can see, newest first, after a position. */
export const listActivity = async (
  db: Db,
  viewer: Viewer,
  { actorId, operationId, from, before }: ActivityFilter,
  after: ActivityPosition | undefined,
  limit: number
): Promise<Activity[]> => {
  let query = db.selectFrom('activity').select(columns).where('partner_id', '=', viewer.partnerId)
  if (actorId !== undefined) query = query.where('actor_id', '=', actorId)
  if (operationId !== undefined) query = query.where('operation_id', '=', operationId)
  if (from !== undefined) query = query.where('at', '>=', from)
  if (before !== undefined) query = query.where('at', '<', before)
  if (after !== undefined) query = query.where(sql<boolean>`(at, id) < (${after.at}::timestamptz, ${after.id}::bigint)`)
  const newest = query.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit)
  return await mergeEnvironments(
    viewer,
    limit,
    (environment) => newest.where('environment', '=', environment).execute(),
    isNewer
  )
}
