import type { Selection } from 'kysely'
import type { Database, Db } from '../../../plugins/database/types.ts'

const columns = [
  'id',
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

/** Lists up to `limit` activity entries of a partner, newest first, before the entry `before`. */
export const listActivity = async (db: Db, partnerId: string, before: number | undefined, limit: number) => {
  const query = db.selectFrom('activity').select(columns).where('partner_id', '=', partnerId)
  return await (before === undefined ? query : query.where('id', '<', before))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}
