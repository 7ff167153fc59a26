import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { DeliveryState } from '../retry-schedule.ts'
import type { EncryptedSecrets } from '../secrets.ts'
import type { Attempt } from './deliveries.ts'

/**
 * Leases endpoints with due deliveries to one worker across all instances, longest unserved first. A delivery that was never tried
 * is due regardless of the clock. Leases use the database clock, so that clock differences between instances cannot end them.
 * The recursive part skips from one endpoint with pending deliveries to the next through the index.
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

export type Target = EncryptedSecrets & { url: string }

/** Renews a lease. @returns the current target, or undefined when the lease is lost, or the endpoint disabled or deleted. */
export const renewLease = async (
  db: Db,
  webhookId: string,
  lease: string,
  leaseMs: number
): Promise<Target | undefined> => {
  const { rows } = await sql<Target>`
    update webhooks set leased_until = clock_timestamp() + ${leaseMs}::double precision * interval '1 millisecond'
    where id = ${webhookId} and lease = ${lease} and status = 'enabled'
    returning url, secret, old_secret as "oldSecret", old_secret_expires_at as "oldSecretExpiresAt"`.execute(db)
  return rows[0]
}

/** Releases a lease. `leased_until` stays set, so that endpoints are served in turn. */
export const endLease = async (db: Db, webhookId: string, lease: string): Promise<void> => {
  await sql`update webhooks set lease = null, leased_until = clock_timestamp() where id = ${webhookId} and lease = ${lease}`.execute(
    db
  )
}

/** Releases all leases. Only for a server that just started and does not share its database. */
export const endAllLeases = async (db: Db): Promise<void> => {
  await sql`update webhooks set lease = null, leased_until = null where lease is not null`.execute(db)
}

export interface DueDelivery {
  id: string
  replays: number
  eventId: string
  eventType: string
  eventCreatedAt: Date
  eventData: Record<string, unknown>
}

/** The next delivery to send: the first untried one in order of sequence, or a retry that was due before it. */
export const nextDelivery = async (db: Db, webhookId: string, now: Date): Promise<DueDelivery | undefined> => {
  const waiting = sql`webhook_id = ${webhookId} and status = 'pending' and sequence is not null`
  const { rows } = await sql<DueDelivery>`
    select d.id, d.replays, d.event_id as "eventId", e.type as "eventType", e.created_at as "eventCreatedAt", e.data as "eventData"
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

/** Locks the endpoint whose lease the caller holds; undefined when the lease is lost or the endpoint deleted. */
export const lockLeased = async (db: Trx, webhookId: string, lease: string) =>
  await db
    .selectFrom('webhooks')
    .select(['id', 'partner_id as partnerId', 'url', 'status', 'failing_since as failingSince'])
    .where('id', '=', webhookId)
    .where('lease', '=', lease)
    .forUpdate()
    .executeTakeFirst()

/** Locks a delivery. */
export const lockDelivery = async (db: Trx, id: string) =>
  await db
    .selectFrom('webhook_deliveries')
    .select(['id', 'status', 'replays', 'tries', 'first_tried_at as firstTriedAt'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export const insertAttempt = async (db: Trx, deliveryId: string, attempt: Attempt): Promise<void> => {
  const { at, status, latencyMs, responseBody, error } = attempt
  await db
    .insertInto('webhook_attempts')
    .values({ delivery_id: deliveryId, at, status, latency_ms: latencyMs, response_body: responseBody, error })
    .execute()
}

export const updateDelivery = async (
  db: Trx,
  id: string,
  { status, settledAt, nextAttemptAt, tries, firstTriedAt }: DeliveryState & { tries: number; firstTriedAt: Date }
): Promise<void> => {
  await db
    .updateTable('webhook_deliveries')
    .set({
      status,
      settled_at: settledAt,
      next_attempt_at: nextAttemptAt,
      tries,
      first_tried_at: firstTriedAt
    })
    .where('id', '=', id)
    .execute()
}

export const setFailingSince = async (db: Trx, webhookId: string, failingSince: Date | null): Promise<void> => {
  await db.updateTable('webhooks').set({ failing_since: failingSince }).where('id', '=', webhookId).execute()
}
