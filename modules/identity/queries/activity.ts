import type { Selection } from 'kysely'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import type { Database, Db } from '../../../plugins/database/types.ts'
import { mergeEnvironments } from '../../../plugins/paging/merged.ts'

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

/** Lists up to `limit` activity entries that a caller can see, newest first, before the entry `before`. */
export const listActivity = async (db: Db, viewer: Viewer, before: number | undefined, limit: number) => {
  const { partnerId } = viewer
  const newest = db.selectFrom('activity').select(columns).where('partner_id', '=', partnerId).orderBy('id', 'desc')
  const earlier = before === undefined ? newest : newest.where('id', '<', before)
  return await mergeEnvironments(
    viewer,
    limit,
    (environment) => earlier.where('environment', '=', environment).limit(limit).execute(),
    (one, other) => other.id - one.id
  )
}
