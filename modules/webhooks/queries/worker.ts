import { sql } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { DeliveryState } from '../retry-schedule.ts'
import type { Attempt } from './deliveries.ts'

export interface DueDelivery {
  id: string
  replays: number
  eventId: string
  eventType: string
  environment: Environment
  eventCreatedAt: Date
  eventData: Record<string, unknown>
}

/** The next delivery to send: the first untried one in order of sequence, or a retry that was due before it. */
export const nextDelivery = async (db: Db, webhookId: string, now: Date): Promise<DueDelivery | undefined> => {
  const waiting = sql`webhook_id = ${webhookId} and status = 'pending' and sequence is not null`
  const { rows } = await sql<DueDelivery>`
    select d.id, d.replays, d.event_id as "eventId", e.type as "eventType", e.environment, e.created_at as "eventCreatedAt", e.data as "eventData"
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

export interface EndpointHealth {
  failingSince: Date | null
  isResponsive: boolean
}

export const setHealth = async (
  db: Trx,
  webhookId: string,
  { failingSince, isResponsive }: EndpointHealth
): Promise<void> => {
  await db
    .updateTable('webhooks')
    .set({ failing_since: failingSince, responsive: isResponsive })
    .where('id', '=', webhookId)
    .execute()
}
