import { sql, type Selection } from 'kysely'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { DisabledReason } from '../tables.ts'

const columns = [
  'id',
  'url',
  'events',
  'description',
  'status',
  'disabled_reason as disabledReason',
  'version',
  'created_at as createdAt'
] as const

export type Webhook = Selection<Database, 'webhooks', (typeof columns)[number]>

/** Lists endpoints of a partner, newest first, after the given position. */
export const listWebhooks = async (
  db: Db,
  partnerId: string,
  after: TimePosition | undefined,
  limit: number
): Promise<Webhook[]> =>
  await db
    .selectFrom('webhooks')
    .select(columns)
    .where('partner_id', '=', partnerId)
    .$if(after !== undefined, (query) => query.where(sql<boolean>`(created_at, id) < (${after?.at}, ${after?.id})`))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

const selectWebhook = (db: Db, partnerId: string, id: string) =>
  db.selectFrom('webhooks').select(columns).where('partner_id', '=', partnerId).where('id', '=', id)

export const findWebhook = async (db: Db, partnerId: string, id: string): Promise<Webhook | undefined> =>
  await selectWebhook(db, partnerId, id).executeTakeFirst()

/** Locks an endpoint against changes and new deliveries until the transaction ends. */
export const lockWebhook = async (db: Trx, partnerId: string, id: string): Promise<Webhook | undefined> =>
  await selectWebhook(db, partnerId, id).forUpdate().executeTakeFirst()

/** Counts the endpoints of a partner and blocks other transactions from adding one until this one ends. */
export const countWebhooks = async (db: Trx, partnerId: string): Promise<number> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks of ${partnerId}`}, 0))`.execute(db)
  const { count } = await db
    .selectFrom('webhooks')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('partner_id', '=', partnerId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

export interface NewWebhook {
  id: string
  partnerId: string
  url: string
  events: string[]
  description: string | null
  secret: Buffer
  createdAt: Date
}

export const insertWebhook = async (db: Trx, { partnerId, createdAt, ...webhook }: NewWebhook): Promise<Webhook> =>
  await db
    .insertInto('webhooks')
    .values({ ...webhook, partner_id: partnerId, status: 'enabled', created_at: createdAt })
    .returning(columns)
    .executeTakeFirstOrThrow()

export interface WebhookChanges {
  url?: string
  events?: string[]
  description?: string | null
  status?: 'enabled' | 'disabled'
  disabledReason?: DisabledReason | null
  failingSince?: Date | null
}

/** Changes an endpoint and increments its version. */
export const updateWebhook = async (
  db: Trx,
  id: string,
  { disabledReason, failingSince, ...changes }: WebhookChanges
): Promise<Webhook> =>
  await db
    .updateTable('webhooks')
    .set((eb) => ({
      ...changes,
      ...(disabledReason === undefined ? {} : { disabled_reason: disabledReason }),
      ...(failingSince === undefined ? {} : { failing_since: failingSince }),
      version: eb('version', '+', 1)
    }))
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()

/** Sets a new secret; the old one stays valid until `oldExpiresAt`. */
export const replaceSecret = async (db: Trx, id: string, secret: Buffer, oldExpiresAt: Date): Promise<Webhook> =>
  await db
    .updateTable('webhooks')
    .set((eb) => ({ secret, old_secret: eb.ref('secret'), old_secret_expires_at: oldExpiresAt }))
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()

export const deleteWebhook = async (db: Trx, id: string): Promise<void> => {
  await db.deleteFrom('webhooks').where('id', '=', id).execute()
}

/** Fails the pending deliveries of a locked endpoint that is being disabled, so that enabling it later does not send them. */
export const failPendingDeliveries = async (db: Trx, id: string, now: Date): Promise<void> => {
  await db
    .updateTable('webhook_deliveries')
    .set({ status: 'failed', next_attempt_at: null, settled_at: now })
    .where('webhook_id', '=', id)
    .where('status', '=', 'pending')
    .execute()
}
