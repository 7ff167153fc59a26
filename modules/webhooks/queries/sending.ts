import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'

/**
 * Leases endpoints that have something due, those longest unserved first, each to one worker on all instances. What was never tried is due whatever the clock
 * says. The lease's time is the database's own, so that neither a clock that differs nor one that is turned ends it. Only endpoints for which something waits
 * are looked at: from each the index leads to the next.
 */
export const leaseEndpoints = async (
  db: Db,
  lease: string,
  leaseMs: number,
  limit: number,
  now: Date
): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    with recursive waiting (webhook_id) as (
      (select webhook_id from webhook_deliveries where status = 'pending' and sequence is not null and webhook_id > '' order by webhook_id limit 1)
      union all
      select (select d.webhook_id from webhook_deliveries d where d.status = 'pending' and d.sequence is not null and d.webhook_id > w.webhook_id order by d.webhook_id limit 1)
      from waiting w where w.webhook_id is not null
    )
    update webhooks set lease = ${lease}, leased_until = clock_timestamp() + ${leaseMs}::double precision * interval '1 millisecond'
    where id = any(array(
      select w.id from waiting join webhooks w on w.id = waiting.webhook_id
      where w.status = 'enabled' and (w.leased_until is null or w.leased_until <= clock_timestamp()) and coalesce(
        (select true from webhook_deliveries d where d.webhook_id = w.id and d.status = 'pending' and d.tries = 0 and d.sequence is not null limit 1),
        (select true from webhook_deliveries d where d.webhook_id = w.id and d.status = 'pending' and d.sequence is not null and d.next_attempt_at <= ${now} limit 1)
      )
      order by w.leased_until nulls first
      limit ${sql.lit(limit)}
      for update of w skip locked
    ))
    returning id`.execute(db)
  return rows.map((row) => row.id)
}

export interface Target {
  url: string
  secret: Buffer
  old_secret: Buffer | null
  old_secret_expires_at: Date | null
}

/** Prolongs a lease and answers where to send to as of now; undefined when the lease is lost, or the endpoint disabled or gone. */
export const renewLease = async (
  db: Db,
  webhookId: string,
  lease: string,
  leaseMs: number
): Promise<Target | undefined> => {
  const { rows } = await sql<Target>`
    update webhooks set leased_until = clock_timestamp() + ${leaseMs}::double precision * interval '1 millisecond'
    where id = ${webhookId} and lease = ${lease} and status = 'enabled'
    returning url, secret, old_secret, old_secret_expires_at`.execute(db)
  return rows[0]
}

/** Gives a lease back. Its time stays, so that endpoints are served in turn. */
export const endLease = async (db: Db, webhookId: string, lease: string): Promise<void> => {
  await sql`update webhooks set lease = null, leased_until = clock_timestamp() where id = ${webhookId} and lease = ${lease}`.execute(
    db
  )
}

/** Ends all leases; only for a server that has its database for itself and just started, so that whoever held them is dead. */
export const endAllLeases = async (db: Db): Promise<void> => {
  await sql`update webhooks set lease = null, leased_until = null where lease is not null`.execute(db)
}

export interface DueDelivery {
  id: string
  replays: number
  event_id: string
  event_type: string
  event_created_at: Date
  event_data: Record<string, unknown>
}

/** What to send next: of those never tried the first in order, whenever that was made, or a retry that was due before it. */
export const nextDelivery = async (db: Db, webhookId: string, now: Date): Promise<DueDelivery | undefined> => {
  const waiting = sql`webhook_id = ${webhookId} and status = 'pending' and sequence is not null`
  const { rows } = await sql<DueDelivery>`
    select d.id, d.replays, d.event_id, e.type as event_type, e.created_at as event_created_at, e.data as event_data
    from (
      (select * from webhook_deliveries where ${waiting} and tries = 0 order by sequence limit 1)
      union all
      (select * from webhook_deliveries where ${waiting} and tries > 0 and next_attempt_at <= ${now} order by next_attempt_at, sequence limit 1)
    ) as d
    join events e on e.id = d.event_id
    order by d.next_attempt_at, d.sequence
    limit 1`.execute(db)
  return rows[0]
}

/** The endpoint whose lease the caller holds, locked; undefined when the lease is lost or the endpoint gone. */
export const lockLeased = async (db: Trx, webhookId: string, lease: string) =>
  await db
    .selectFrom('webhooks')
    .select(['id', 'partner_id', 'url', 'status', 'failing_since'])
    .where('id', '=', webhookId)
    .where('lease', '=', lease)
    .forUpdate()
    .executeTakeFirst()

/** The delivery's state before an attempt is written down, locked. */
export const lockDelivery = async (db: Trx, id: string) =>
  await db
    .selectFrom('webhook_deliveries')
    .select(['id', 'status', 'replays', 'tries', 'first_tried_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export interface AttemptRecord {
  at: Date
  status: number | null
  latencyMs: number
  responseBody: string | null
  error: string | null
}

export const insertAttempt = async (db: Trx, deliveryId: string, attempt: AttemptRecord): Promise<void> => {
  await db
    .insertInto('webhook_attempts')
    .values({
      delivery_id: deliveryId,
      at: attempt.at,
      status: attempt.status,
      latency_ms: attempt.latencyMs,
      response_body: attempt.responseBody,
      error: attempt.error
    })
    .execute()
}

export type DeliveryState =
  | { status: 'succeeded' | 'failed'; settled_at: Date; next_attempt_at: null }
  | { status: 'pending'; settled_at: null; next_attempt_at: Date }

export const setDeliveryState = async (
  db: Trx,
  id: string,
  state: DeliveryState & { tries: number; first_tried_at: Date }
): Promise<void> => {
  await db.updateTable('webhook_deliveries').set(state).where('id', '=', id).execute()
}

export const setFailingSince = async (db: Trx, webhookId: string, failingSince: Date | null): Promise<void> => {
  await db.updateTable('webhooks').set({ failing_since: failingSince }).where('id', '=', webhookId).execute()
}
