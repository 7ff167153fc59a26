import { sql, type Selectable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { WebhookAttemptsTable, WebhookDeliveriesTable } from '../tables.ts'

export type AttemptRow = Pick<
  Selectable<WebhookAttemptsTable>,
  'at' | 'status' | 'latency_ms' | 'response_body' | 'error'
>

export type DeliveryRow = Pick<
  Selectable<WebhookDeliveriesTable>,
  'id' | 'webhook_id' | 'event_id' | 'status' | 'next_attempt_at' | 'created_at'
> & {
  event_type: string
  attempts: AttemptRow[]
}

const selectDeliveries = (db: Db, webhookId: string) =>
  db
    .selectFrom('webhook_deliveries as d')
    .select(['d.id', 'd.webhook_id', 'd.event_id', 'd.status', 'd.next_attempt_at', 'd.created_at'])
    .select(sql<string>`(select type from events where id = d.event_id)`.as('event_type'))
    .where('d.webhook_id', '=', webhookId)

/** The latest attempts of each delivery, oldest first. */
const readAttempts = async (db: Db, deliveryIds: string[], most: number): Promise<Map<string, AttemptRow[]>> => {
  const byDelivery = new Map<string, AttemptRow[]>()
  if (deliveryIds.length === 0) return byDelivery
  const { rows } = await sql<AttemptRow & { delivery_id: string }>`
    select d.id as delivery_id, a.at, a.status, a.latency_ms, a.response_body, a.error
    from unnest(${deliveryIds}::text[]) as d (id)
    cross join lateral (
      select * from webhook_attempts where delivery_id = d.id order by id desc limit ${sql.lit(most)}
    ) a
    order by a.id`.execute(db)
  for (const { delivery_id, ...attempt } of rows)
    byDelivery.set(delivery_id, [...(byDelivery.get(delivery_id) ?? []), attempt])
  return byDelivery
}

const withAttempts = async (db: Db, rows: Omit<DeliveryRow, 'attempts'>[], most: number): Promise<DeliveryRow[]> => {
  const attempts = await readAttempts(
    db,
    rows.map((row) => row.id),
    most
  )
  return rows.map((row) => ({ ...row, attempts: attempts.get(row.id) ?? [] }))
}

export interface DeliveryFilter {
  status: 'pending' | 'succeeded' | 'failed' | undefined
  after: TimePosition | undefined
}

/** A page of an endpoint's deliveries, newest first, each with its latest attempts. */
export const listDeliveries = async (
  db: Db,
  webhookId: string,
  { status, after }: DeliveryFilter,
  limit: number
): Promise<DeliveryRow[]> => {
  let query = selectDeliveries(db, webhookId)
  if (status !== undefined) query = query.where('d.status', '=', status)
  if (after !== undefined) query = query.where(sql<boolean>`(d.created_at, d.id) < (${after.at}, ${after.id})`)
  return await withAttempts(
    db,
    await query.orderBy('d.created_at', 'desc').orderBy('d.id', 'desc').limit(limit).execute(),
    5
  )
}

export const findDelivery = async (db: Db, webhookId: string, id: string): Promise<DeliveryRow | undefined> => {
  const [row] = await withAttempts(db, await selectDeliveries(db, webhookId).where('d.id', '=', id).execute(), 100)
  return row
}

/** A delivery for an event that is published later; until then it waits. */
export const insertUnpublishedDelivery = async (
  db: Trx,
  row: { id: string; webhookId: string; eventId: string; now: Date }
): Promise<void> => {
  await db
    .insertInto('webhook_deliveries')
    .values({
      id: row.id,
      webhook_id: row.webhookId,
      event_id: row.eventId,
      status: 'pending',
      next_attempt_at: row.now,
      created_at: row.now
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

/** Queues a delivery again, with the whole ladder before it. */
export const requeueDelivery = async (db: Trx, webhookId: string, id: string, now: Date): Promise<void> => {
  await requeue(db, webhookId, now).where('id', '=', id).execute()
}

/** Queues again all that was given up at or after `since`, and tells how many. */
export const requeueFailed = async (db: Trx, webhookId: string, since: Date, now: Date): Promise<number> => {
  const { numUpdatedRows } = await requeue(db, webhookId, now)
    .where('status', '=', 'failed')
    .where('settled_at', '>=', since)
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/** How many deliveries are due and not sent yet, counted up to `most`. */
export const countDue = async (db: Db, now: Date, most: number): Promise<number> => {
  const due = db
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('status', '=', sql.lit('pending'))
    .where('sequence', 'is not', null)
    .where((eb) => eb.or([eb('tries', '=', 0), eb('next_attempt_at', '<=', now)]))
    .limit(most)
  const { count } = await db
    .selectFrom(due.as('due'))
    .select(sql<number>`count(*)::integer`.as('count'))
    .executeTakeFirstOrThrow()
  return count
}
