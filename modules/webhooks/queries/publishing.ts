import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'

const askForUnpublished = prepared<object>()(
  () => sql<{ waits: boolean }>`select exists (select from events where published_at is null) as waits`
)

/** Whether committed events wait for being published; waits for no other publisher, and for no connection of the pool. */
export const hasUnpublished = async (db: Db): Promise<boolean> => (await askForUnpublished(db, {}))[0]?.waits === true

const callPublisher = prepared<{ limit: number; now: Date }>()(
  (_db, place) =>
    sql<{
      published: number
    }>`select publish_events(${place('limit')}::integer, ${place('now')}::timestamptz) as published`
)

/**
 * Gives the oldest committed events their sequences, one after the other for each partner in the order in which they were written, and makes a delivery of each
 * to every enabled endpoint that asks for its type. One that commits late gets a later sequence than those that overtook it.
 * @param db a transaction of its own, because it waits for other publishers.
 * @returns how many events that were.
 */
export const publishOldest = async (db: Trx, limit: number, now: Date): Promise<number> =>
  (await callPublisher(db, { limit, now }))[0]?.published ?? 0

export interface FeedRow {
  id: string
  type: string
  sequence: number
  created_at: Date
  data: Record<string, unknown>
}

/** A partner's published events after a sequence, oldest first. `type` is a type, a group such as `transfer.*`, or `*`. */
export const readFeed = async (
  db: Db,
  partnerId: string,
  after: number,
  type: string | undefined,
  oldest: Date,
  limit: number
): Promise<FeedRow[]> => {
  let query = db
    .selectFrom('events')
    .select(['id', 'type', 'sequence', 'created_at', 'data'])
    .where('partner_id', '=', partnerId)
    .where('sequence', '>', after)
    .where('created_at', '>=', oldest)
  if (type?.endsWith('.*') === true) query = query.where(sql<string>`split_part(type, '.', 1)`, '=', type.slice(0, -2))
  else if (type !== undefined && type !== '*') query = query.where('type', '=', type)
  const rows = await query.orderBy('sequence').limit(limit).execute()
  return rows as FeedRow[]
}

/** Deletes published events older than `before`, with their deliveries, and tells how many there were; at most `limit` at a time. */
export const deleteOldEvents = async (db: Db, before: Date, limit: number): Promise<number> => {
  const { numAffectedRows } = await sql`delete from events where id = any(array(
    select id from events where created_at < ${before} and published_at is not null order by created_at limit ${sql.lit(limit)}))`.execute(
    db
  )
  return Number(numAffectedRows ?? 0n)
}
