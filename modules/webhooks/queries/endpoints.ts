import { sql, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { isVisibleTo, type Viewer } from '../../../plugins/access/viewer.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { Subscriptions } from '../subscriptions.ts'
import type { DisabledReason } from '../tables.ts'

const columns = [
  'id',
  'environment',
  'url',
  'events',
  'description',
  'status',
  'disabled_reason as disabledReason',
  'version',
  'created_at as createdAt'
] as const

export type Webhook = Selection<Database, 'webhooks', (typeof columns)[number]>

/** Lists endpoints that a caller can see, newest first, after the given position. */
export const listWebhooks = async (
  db: Db,
  viewer: Viewer,
  after: TimePosition | undefined,
  limit: number
): Promise<Webhook[]> =>
  await db
    .selectFrom('webhooks')
    .select(columns)
    .where(isVisibleTo(viewer))
    .$if(after !== undefined, (query) => query.where(sql<boolean>`(created_at, id) < (${after?.at}, ${after?.id})`))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

const selectWebhook = (db: Db, viewer: Viewer, id: string) =>
  db.selectFrom('webhooks').select(columns).where(isVisibleTo(viewer)).where('id', '=', id)

export const findWebhook = async (db: Db, viewer: Viewer, id: string): Promise<Webhook | undefined> =>
  await selectWebhook(db, viewer, id).executeTakeFirst()

/** Locks an endpoint against changes and new deliveries until the transaction ends. */
export const lockWebhook = async (db: Trx, viewer: Viewer, id: string): Promise<Webhook | undefined> =>
  await selectWebhook(db, viewer, id).forUpdate().executeTakeFirst()

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
  environment: Environment
  url: string
  events: string[]
  description: string | null
  secret: Buffer
  subscriptions: Subscriptions
  createdAt: Date
}

export const insertWebhook = async (
  db: Trx,
  { partnerId, subscriptions, createdAt, ...webhook }: NewWebhook
): Promise<Webhook> =>
  await db
    .insertInto('webhooks')
    .values({
      ...webhook,
      partner_id: partnerId,
      subscribed_after: JSON.stringify(subscriptions),
      status: 'enabled',
      created_at: createdAt
    })
    .returning(columns)
    .executeTakeFirstOrThrow()

/** The position of the event that was written last, whether or not it is committed; 0 when there is none. */
export const lastEventPosition = async (db: Trx): Promise<number> => {
  const { rows } = await sql<{
    last: number
  }>`select case when is_called then last_value else 0 end as last from events_position_seq`.execute(db)
  return rows[0]?.last ?? 0
}

/** Reads what a locked endpoint is subscribed to. */
export const readSubscriptions = async (db: Trx, id: string): Promise<Subscriptions> => {
  const { subscriptions } = await db
    .selectFrom('webhooks')
    .select('subscribed_after as subscriptions')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return subscriptions
}

export interface WebhookChanges {
  url?: string
  events?: string[]
  subscriptions?: Subscriptions
  description?: string | null
  status?: 'enabled' | 'disabled'
  disabledReason?: DisabledReason | null
  failingSince?: Date | null
}

/** Changes an endpoint and increments its version. */
export const updateWebhook = async (
  db: Trx,
  id: string,
  { subscriptions, disabledReason, failingSince, ...changes }: WebhookChanges
): Promise<Webhook> =>
  await db
    .updateTable('webhooks')
    .set((eb) => ({
      ...changes,
      ...(subscriptions === undefined ? {} : { subscribed_after: JSON.stringify(subscriptions) }),
      ...(disabledReason === undefined ? {} : { disabled_reason: disabledReason }),
      ...(failingSince === undefined ? {} : { failing_since: failingSince }),
      version: eb('version', '+', 1)
    }))
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()

/** When each old secret that still signs expires, earliest first. */
export const oldSecretExpiries = async (db: Trx, id: string, now: Date): Promise<Date[]> => {
  const { rows } = await sql<{ expiresAt: Date }>`
    select expires_at as "expiresAt" from webhooks cross join lateral unnest(old_secrets_expire_at) as expires_at
    where id = ${id} and expires_at > ${now}::timestamptz order by expires_at`.execute(db)
  return rows.map(({ expiresAt }) => expiresAt)
}

/** Sets a new secret. The replaced one signs until `oldExpiresAt`, and those before it until they expire. */
export const replaceSecret = async (
  db: Trx,
  id: string,
  secret: Buffer,
  oldExpiresAt: Date,
  now: Date
): Promise<Webhook> => {
  const stillSigning = sql`unnest(old_secrets, old_secrets_expire_at) as old (secret, expires_at) where old.expires_at > ${now}::timestamptz order by old.expires_at desc`
  return await db
    .updateTable('webhooks')
    .set({
      secret,
      old_secrets: sql`webhooks.secret || array(select old.secret from ${stillSigning})`,
      old_secrets_expire_at: sql`${oldExpiresAt}::timestamptz || array(select old.expires_at from ${stillSigning})`
    })
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

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
