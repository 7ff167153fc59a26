import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'

export interface PublishedEvent {
  id: string
  partner_id: string
  type: string
  sequence: number
}

/** One publisher at a time on all instances, until its transaction ends. */
export const lockPublishing = async (db: Trx): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended('publish events', 0))`.execute(db)
}

/** Whether any committed event waits for its sequence. */
export const hasUnpublishedEvents = async (db: Db): Promise<boolean> =>
  (await db.selectFrom('events').select('position').where('published_at', 'is', null).limit(1).executeTakeFirst()) !== undefined

/**
 * Gives the oldest unpublished events their sequences: one after the other for each partner, in the order in which they were written. One that
 * commits late gets a later sequence than those that overtook it. Only under `lockPublishing`.
 */
export const numberEvents = async (db: Trx, limit: number, now: Date): Promise<PublishedEvent[]> => {
  const { rows } = await sql<PublishedEvent>`
    with batch as (
      select id, partner_id, row_number() over (partition by partner_id order by position) as nth
      from (select id, partner_id, position from events where published_at is null order by position limit ${sql.lit(limit)}) as oldest
    ), counters as (
      insert into event_sequences as s (partner_id, last)
      select partner_id, count(*) from batch group by partner_id
      on conflict (partner_id) do update set last = s.last + excluded.last
      returning partner_id, last
    ), sizes as (
      select partner_id, count(*) as size from batch group by partner_id
    )
    update events e set sequence = c.last - z.size + b.nth, published_at = ${now}
    from batch b join counters c using (partner_id) join sizes z using (partner_id)
    where e.id = b.id
    returning e.id, e.partner_id, e.type, e.sequence`.execute(db)
  return rows.sort((a, b) => a.sequence - b.sequence)
}

/** The enabled endpoints of some partners; none of them can be disabled or changed until the transaction ends. */
export const holdEndpoints = async (db: Trx, partnerIds: string[]): Promise<{ id: string; partner_id: string; events: string[] }[]> =>
  await db
    .selectFrom('webhooks')
    .select(['id', 'partner_id', 'events'])
    .where('partner_id', '=', (eb) => eb.fn.any(eb.val(partnerIds)))
    .where('status', '=', 'enabled')
    .orderBy('id')
    .forShare()
    .execute()

export interface NewDelivery {
  id: string
  webhookId: string
  eventId: string
  sequence: number
}

export const insertDeliveries = async (db: Trx, rows: NewDelivery[], now: Date): Promise<void> => {
  if (rows.length === 0) return
  const column = (pick: (row: NewDelivery) => unknown): unknown[] => rows.map(pick)
  await sql`
    insert into webhook_deliveries (id, webhook_id, event_id, sequence, status, next_attempt_at, created_at)
    select id, webhook_id, event_id, sequence, 'pending', ${now}::timestamptz, ${now}::timestamptz
    from unnest(
      ${column((row) => row.id)}::text[], ${column((row) => row.webhookId)}::text[], ${column((row) => row.eventId)}::text[], ${column((row) => row.sequence)}::bigint[]
    ) as new (id, webhook_id, event_id, sequence)`.execute(db)
}

/** Lets deliveries go that were made together with their events. */
export const releaseDeliveries = async (db: Trx, eventIds: string[]): Promise<void> => {
  if (eventIds.length === 0) return
  await sql`update webhook_deliveries d set sequence = e.sequence from events e
    where e.id = d.event_id and d.event_id = any(${eventIds}::text[])`.execute(db)
}

export interface FeedRow {
  id: string
  type: string
  sequence: number
  created_at: Date
  data: Record<string, unknown>
}

/** A partner's published events after a sequence, oldest first. `type` is a type, a group such as `transfer.*`, or `*`. */
export const readFeed = async (db: Db, partnerId: string, after: number, type: string | undefined, oldest: Date, limit: number): Promise<FeedRow[]> => {
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
  const { numAffectedRows } = await sql`delete from events where id in
    (select id from events where created_at < ${before} and published_at is not null order by created_at limit ${sql.lit(limit)})`.execute(db)
  return Number(numAffectedRows ?? 0n)
}
