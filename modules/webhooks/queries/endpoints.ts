import { sql, type Selectable, type Updateable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { WebhooksTable } from '../tables.ts'

export type WebhookRow = Selectable<WebhooksTable>

/** A page of a partner's endpoints, newest first, after the position given. */
export const listWebhooks = async (
  db: Db,
  partnerId: string,
  after: TimePosition | undefined,
  limit: number
): Promise<WebhookRow[]> =>
  await db
    .selectFrom('webhooks')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .$if(after !== undefined, (query) => query.where(sql<boolean>`(created_at, id) < (${after?.at}, ${after?.id})`))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

export const findWebhook = async (db: Db, partnerId: string, id: string): Promise<WebhookRow | undefined> =>
  await db
    .selectFrom('webhooks')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('id', '=', id)
    .executeTakeFirst()

/** The endpoint, which nobody else changes and to which no delivery is added until the transaction ends. */
export const lockWebhook = async (db: Trx, partnerId: string, id: string): Promise<WebhookRow | undefined> =>
  await db
    .selectFrom('webhooks')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

/** How many endpoints a partner has; until the transaction ends nobody else can count or add one for this partner. */
export const countWebhooks = async (db: Trx, partnerId: string): Promise<number> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks of ${partnerId}`}, 0))`.execute(db)
  const { count } = await db
    .selectFrom('webhooks')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('partner_id', '=', partnerId)
    .executeTakeFirstOrThrow()
  return Number(count)
}

export type NewWebhookRow = Pick<
  WebhookRow,
  'id' | 'partner_id' | 'url' | 'events' | 'description' | 'secret' | 'created_at'
>

export const insertWebhook = async (db: Trx, row: NewWebhookRow): Promise<WebhookRow> =>
  await db
    .insertInto('webhooks')
    .values({ ...row, status: 'enabled' })
    .returningAll()
    .executeTakeFirstOrThrow()

/** Changes an endpoint and counts its version up. */
export const changeWebhook = async (db: Trx, id: string, changes: Updateable<WebhooksTable>): Promise<WebhookRow> =>
  await db
    .updateTable('webhooks')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

/** Sets a new secret and keeps the one before for a while. */
export const replaceSecret = async (db: Trx, id: string, secret: Buffer, oldExpiresAt: Date): Promise<WebhookRow> =>
  await db
    .updateTable('webhooks')
    .set((eb) => ({ secret, old_secret: eb.ref('secret'), old_secret_expires_at: oldExpiresAt }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export const deleteWebhook = async (db: Trx, id: string): Promise<void> => {
  await db.deleteFrom('webhooks').where('id', '=', id).execute()
}

/** Gives up what waits for an endpoint that is locked and gets disabled, so that enabling it again does not pour out the past. */
export const giveUpPending = async (db: Trx, id: string, now: Date): Promise<void> => {
  await db
    .updateTable('webhook_deliveries')
    .set({ status: 'failed', next_attempt_at: null, settled_at: now })
    .where('webhook_id', '=', id)
    .where('status', '=', 'pending')
    .execute()
}
