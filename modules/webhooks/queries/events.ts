import { sql } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { mergeLists } from '../../../plugins/paging/merged.ts'

const unpublishedExist = prepared<object>()(
  () => sql<{ exists: boolean }>`select exists (select from events where published_at is null)`
)

/** Whether committed events are unpublished. Takes no lock and needs no connection of the transaction pool. */
export const hasUnpublished = async (db: Db): Promise<boolean> => (await unpublishedExist(db, {}))[0]?.exists === true

const callPublisher = prepared<{ limit: number; now: Date }>()(
  (_db, place) =>
    sql<{
      published: number
    }>`select publish_events(${place('limit')}::integer, ${place('now')}::timestamptz) as published`
)

/**
 * Publishes the oldest committed events: assigns sequences per partner and environment in the order of writing, and creates a delivery for every
 * enabled endpoint of the environment that subscribes to the type. An event that commits late gets a sequence after those published before it.
 * @param db a transaction of its own, because it waits for other publishers.
 * @returns the number of published events.
 */
export const publishOldest = async (db: Trx, limit: number, now: Date): Promise<number> =>
  (await callPublisher(db, { limit, now }))[0]?.published ?? 0

export interface PublishedEvent {
  id: string
  type: string
  environment: Environment
  sequence: number
  createdAt: Date
  data: Record<string, unknown>
}

export interface EventQuery {
  partnerId: string
  environment: Environment
  /** A sequence of this environment. */
  after: number
  /** Of these types only; undefined for all. */
  types: readonly string[] | undefined
  oldest: Date
}

/** Lists published events of a partner in one environment after a sequence, oldest first. Each type is read through its own index range. */
export const listEvents = async (
  db: Db,
  { partnerId, environment, after, types, oldest }: EventQuery,
  limit: number
): Promise<PublishedEvent[]> => {
  const read = (type?: string) =>
    db
      .selectFrom('events')
      .select(['id', 'type', 'environment', 'sequence', 'created_at as createdAt', 'data'])
      .where('partner_id', '=', partnerId)
      .where('environment', '=', environment)
      .where('sequence', '>', after)
      .where('created_at', '>=', oldest)
      .$if(type !== undefined, (query) => query.where('type', '=', type ?? ''))
      .orderBy('sequence')
      .limit(limit)
      .$narrowType<{ sequence: number }>()
      .execute()
  const lists = types === undefined ? [read()] : types.map(read)
  return await mergeLists(lists, limit, (one, other) => one.sequence - other.sequence)
}

/** Deletes up to `limit` published events from before `before`, with their deliveries. @returns how many. */
export const deleteOldEvents = async (db: Db, before: Date, limit: number): Promise<number> => {
  const { numAffectedRows } = await sql`delete from events where id = any(array(
    select id from events where created_at < ${before} and published_at is not null order by created_at limit ${sql.lit(limit)}))`.execute(
    db
  )
  return Number(numAffectedRows ?? 0n)
}
