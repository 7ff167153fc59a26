import { sql } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { DeliveryStatus } from '../tables.ts'

export interface Attempt {
  at: Date
  /** Null when there was no response. */
  status: number | null
  latencyMs: number
  responseBody: string | null
  error: string | null
}

export interface Delivery {
  id: string
  webhookId: string
  eventId: string
  eventType: string
  environment: Environment
  status: DeliveryStatus
  nextAttemptAt: Date | null
  createdAt: Date
  attempts: Attempt[]
}

const selectDeliveries = (db: Db, webhookId: string) =>
  db
    .selectFrom('webhook_deliveries as d')
    .select([
      'd.id',
      'd.webhook_id as webhookId',
      'd.event_id as eventId',
      'd.status',
      'd.next_attempt_at as nextAttemptAt',
      'd.created_at as createdAt'
    ])
    .select(sql<string>`(select type from events where id = d.event_id)`.as('eventType'))
    .select(sql<Environment>`(select environment from events where id = d.event_id)`.as('environment'))
    .where('d.webhook_id', '=', webhookId)

/** Reads up to `limit` latest attempts of each delivery, oldest first. */
const readAttempts = async (db: Db, deliveryIds: string[], limit: number): Promise<Map<string, Attempt[]>> => {
  const byDelivery = new Map<string, Attempt[]>()
  if (deliveryIds.length === 0) return byDelivery
  const { rows } = await sql<Attempt & { deliveryId: string }>`
    select d.id as "deliveryId", a.at, a.status, a.latency_ms as "latencyMs", a.response_body as "responseBody", a.error
    from unnest(${deliveryIds}::text[]) as d (id)
    cross join lateral (
      select * from webhook_attempts where delivery_id = d.id order by id desc limit ${sql.lit(limit)}
    ) a
    order by a.id`.execute(db)
  for (const { deliveryId, ...attempt } of rows)
    byDelivery.set(deliveryId, [...(byDelivery.get(deliveryId) ?? []), attempt])
  return byDelivery
}

const withAttempts = async (db: Db, rows: Omit<Delivery, 'attempts'>[], limit: number): Promise<Delivery[]> => {
  const attempts = await readAttempts(
    db,
    rows.map((row) => row.id),
    limit
  )
  return rows.map((row) => ({ ...row, attempts: attempts.get(row.id) ?? [] }))
}

export interface DeliveryFilter {
  status: DeliveryStatus | undefined
  after: TimePosition | undefined
}

/** Lists deliveries of an endpoint, newest first, each with its latest attempts. */
export const listDeliveries = async (
  db: Db,
  webhookId: string,
  { status, after }: DeliveryFilter,
  limit: number
): Promise<Delivery[]> => {
  let query = selectDeliveries(db, webhookId)
  if (status !== undefined) query = query.where('d.status', '=', status)
  if (after !== undefined) query = query.where(sql<boolean>`(d.created_at, d.id) < (${after.at}, ${after.id})`)
  return await withAttempts(
    db,
    await query.orderBy('d.created_at', 'desc').orderBy('d.id', 'desc').limit(limit).execute(),
    5
  )
}

export const findDelivery = async (db: Db, webhookId: string, id: string): Promise<Delivery | undefined> => {
  const [row] = await withAttempts(db, await selectDeliveries(db, webhookId).where('d.id', '=', id).execute(), 100)
  return row
}

/** Inserts a delivery of an event that is not published yet; it stays pending until then. */
export const insertUnpublishedDelivery = async (
  db: Trx,
  { id, webhookId, eventId, createdAt }: Pick<Delivery, 'id' | 'webhookId' | 'eventId' | 'createdAt'>
): Promise<void> => {
  await db
    .insertInto('webhook_deliveries')
    .values({
      id,
      webhook_id: webhookId,
      event_id: eventId,
      status: 'pending',
      next_attempt_at: createdAt,
      created_at: createdAt
    })
    .execute()
}

const requeue = (db: Trx, webhookId: string, now: Date) =>
  db
    .updateTable('webhook_deliveries')
    .set((eb) => ({
      status: 'pending' as const,
      replays: eb('replays', '+', 1),
      tries: 0,
      first_tried_at: null,
      settled_at: null,
      next_attempt_at: now
    }))
    .where('webhook_id', '=', webhookId)

/** Requeues a delivery, restarting its retry schedule. */
export const requeueDelivery = async (db: Trx, webhookId: string, id: string, now: Date): Promise<void> => {
  await requeue(db, webhookId, now).where('id', '=', id).execute()
}

/** Requeues the deliveries that failed at or after `since`. @returns how many. */
export const requeueFailed = async (db: Trx, webhookId: string, since: Date, now: Date): Promise<number> => {
  const { numUpdatedRows } = await requeue(db, webhookId, now)
    .where('status', '=', 'failed')
    .where('settled_at', '>=', since)
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/** Counts the deliveries that are due, up to `max`. */
export const countDue = async (db: Db, now: Date, max: number): Promise<number> => {
  const due = db
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('status', '=', sql.lit('pending'))
    .where('sequence', 'is not', null)
    .where((eb) => eb.or([eb('tries', '=', 0), eb('next_attempt_at', '<=', now)]))
    .limit(max)
  const { count } = await db
    .selectFrom(due.as('due'))
    .select(sql<number>`count(*)::integer`.as('count'))
    .executeTakeFirstOrThrow()
  return count
}
