import { sql, type RawBuilder, type Selectable } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { ItemStatus, ItemsTable } from '../tables.ts'
import type { Viewer } from '../viewer.ts'

export type ItemRow = Selectable<ItemsTable>

/** What an access token is encrypted for: the row that it stands in. */
export const tokenContext = (itemId: string): string => `items.access_token:${itemId}`

export const findItem = async (db: Db, { partnerId, environments }: Viewer, id: string): Promise<ItemRow | undefined> =>
  await db
    .selectFrom('items')
    .selectAll()
    .where('id', '=', id)
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .executeTakeFirst()

export const readItem = async (db: Db, id: string): Promise<ItemRow | undefined> =>
  await db.selectFrom('items').selectAll().where('id', '=', id).executeTakeFirst()

/** The item that this partner's public token led to before. */
export const findItemByPublicToken = async (
  db: Db,
  partnerId: string,
  tokenHash: Buffer
): Promise<ItemRow | undefined> =>
  await db
    .selectFrom('item_public_tokens')
    .innerJoin('items', 'items.id', 'item_public_tokens.item_id')
    .selectAll('items')
    .where('item_public_tokens.partner_id', '=', partnerId)
    .where('item_public_tokens.token_hash', '=', tokenHash)
    .executeTakeFirst()

const itemsOfUser = prepared<{ partnerId: string; environments: Environment[]; userId: string }>()((db, place) =>
  db
    .selectFrom('items')
    .selectAll()
    .where('partner_id', '=', place('partnerId'))
    .where('environment', '=', (eb) => eb.fn.any(place('environments')))
    .where('user_id', '=', place('userId'))
    .orderBy('created_at')
    .orderBy('id')
)

/** Every item of an end-user, oldest first. */
export const listItemsOfUser = async (
  db: Db,
  { partnerId, environments }: Viewer,
  userId: string
): Promise<ItemRow[]> => await itemsOfUser(db, { partnerId, environments, userId })

/** One page of an end-user's items, newest first, and one row more when there are more. */
export const pageItems = async (
  db: Db,
  { partnerId, environments }: Viewer,
  userId: string,
  limit: number,
  after?: TimePosition
) =>
  await db
    .selectFrom('items')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('user_id', '=', userId)
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) < (${after?.at}::timestamptz, ${after?.id})`)
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()

/** Inserts an item, or answers undefined when Plaid's item is known already, to anybody. */
export const insertItem = async (
  trx: Trx,
  item: Pick<
    ItemRow,
    | 'id'
    | 'partner_id'
    | 'environment'
    | 'user_id'
    | 'plaid_item_id'
    | 'access_token'
    | 'institution_id'
    | 'institution_name'
    | 'created_at'
  >
): Promise<ItemRow | undefined> =>
  await trx
    .insertInto('items')
    .values({
      ...item,
      error_code: null,
      sync_cursor: null,
      last_synced_at: null,
      sync_retry_at: null,
      removal_began_at: null
    })
    .onConflict((conflict) => conflict.column('plaid_item_id').doNothing())
    .returningAll()
    .executeTakeFirst()

export const lockItemByPlaidId = async (trx: Trx, plaidItemId: string): Promise<ItemRow | undefined> =>
  await trx.selectFrom('items').selectAll().where('plaid_item_id', '=', plaidItemId).forUpdate().executeTakeFirst()

/** A new access token for an item that was linked again. */
export const renewItem = async (
  trx: Trx,
  id: string,
  accessToken: Buffer,
  institution: { institution_id?: string; institution_name?: string }
): Promise<ItemRow> =>
  await trx
    .updateTable('items')
    .set({ access_token: accessToken, ...institution, status: 'ok', error_code: null, removal_began_at: null })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export const insertPublicToken = async (
  trx: Trx,
  partnerId: string,
  tokenHash: Buffer,
  itemId: string,
  now: Date
): Promise<void> => {
  await trx
    .insertInto('item_public_tokens')
    .values({ partner_id: partnerId, token_hash: tokenHash, item_id: itemId, created_at: now })
    .onConflict((conflict) => conflict.columns(['partner_id', 'token_hash']).doNothing())
    .execute()
}

/** Asks for a sync of these items; it is not forgotten before one has succeeded. */
export const wantSync = async (trx: Trx, ids: string[]): Promise<void> => {
  if (ids.length === 0) return
  await trx
    .updateTable('items')
    .set((eb) => ({ syncs_wanted: eb('syncs_wanted', '+', 1), sync_retry_at: null }))
    .where('id', 'in', ids)
    .execute()
}

/** Items whose sync is asked for and due, the longest waiting first. */
export const listItemsToSync = async (db: Db, now: Date, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('items')
    .select('id')
    .whereRef('syncs_wanted', '>', 'syncs_done')
    .where((eb) => eb.or([eb('sync_retry_at', 'is', null), eb('sync_retry_at', '<=', now)]))
    .orderBy(sql`sync_retry_at nulls first`)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Puts off an item's wanted sync, or gives it up until somebody asks again. */
export const postponeSync = async (db: Db, id: string, until: Date | 'asked again'): Promise<void> => {
  await db
    .updateTable('items')
    .set((eb) =>
      until === 'asked again' ? { syncs_done: eb.ref('syncs_wanted'), sync_retry_at: null } : { sync_retry_at: until }
    )
    .where('id', '=', id)
    .execute()
}

/**
 * Moves an item to the cursor that its sync led to: by compare-and-swap, so that of several syncs from one cursor one is applied.
 * @returns the item, or undefined when another sync was first or the item is gone.
 */
export const advanceCursor = async (trx: Trx, from: ItemRow, cursor: string, now: Date): Promise<ItemRow | undefined> =>
  await trx
    .updateTable('items')
    .set((eb) => ({
      sync_cursor: cursor,
      last_synced_at: now,
      status: 'ok',
      error_code: sql<string | null>`case when status = 'ok' then error_code end`,
      syncs_done: eb.fn<number>('greatest', ['syncs_done', eb.val(from.syncs_wanted)]),
      sync_retry_at: null
    }))
    .where('id', '=', from.id)
    .where('sync_cursor', 'is not distinct from', from.sync_cursor)
    .returningAll()
    .executeTakeFirst()

/** Notes an item's state. @returns the item when that changed it. */
export const setItemStatus = async (
  trx: Trx,
  id: string,
  status: ItemStatus,
  errorCode: string | null
): Promise<ItemRow | undefined> =>
  await trx
    .updateTable('items')
    .set({ status, error_code: errorCode })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('status', '<>', status), eb('error_code', 'is distinct from', errorCode)]))
    .returningAll()
    .executeTakeFirst()

/** The item that a webhook tells of, among those of the environments whose Plaid signed it. */
export const findItemOfWebhook = async (
  trx: Trx,
  plaidItemId: string,
  environments: Environment[]
): Promise<ItemRow | undefined> =>
  await trx
    .selectFrom('items')
    .selectAll()
    .where('plaid_item_id', '=', plaidItemId)
    .where('environment', 'in', environments)
    .executeTakeFirst()

export const lockItem = async (trx: Trx, id: string): Promise<ItemRow | undefined> =>
  await trx.selectFrom('items').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()

/** Longer than ending the access at Plaid can take; what was begun before that died with its process. */
const removalMs = 10 * 60_000

/**
 * Those of some items that are there and are not being deleted, and nobody deletes them until the transaction ends: a piece for the statement that begins
 * something with them, which whoever wants to delete them later will see.
 */
export const selectHeldItems = (ids: RawBuilder<string[]>, now: RawBuilder<Date>): RawBuilder<{ id: string }> =>
  sql`select id from items where id = any(${ids}) and (removal_began_at is null or removal_began_at < ${now}::timestamptz - ${sql.lit(removalMs)} * interval '1 ms')
    order by id for key share`

/** Lets nothing new begin with an item. */
export const beginRemoval = async (trx: Trx, id: string, now: Date): Promise<void> => {
  await trx.updateTable('items').set({ removal_began_at: now }).where('id', '=', id).execute()
}

/** The item stays after all. */
export const giveUpRemoval = async (db: Db, id: string): Promise<void> => {
  await db.updateTable('items').set({ removal_began_at: null }).where('id', '=', id).execute()
}

/** Deletes an item and its accounts; its transactions must be tombstones by now. */
export const removeItem = async (trx: Trx, id: string): Promise<void> => {
  await trx.deleteFrom('items').where('id', '=', id).execute()
}

/** The partner's end-users that have linked something, in order. */
export const listEndUsers = async (db: Db, { partnerId, environments }: Viewer, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('items')
    .select('user_id')
    .distinct()
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .orderBy('user_id')
    .limit(limit)
    .execute()
  return rows.map(({ user_id }) => user_id)
}

/** The name that an end-user sees in Link. */
export const readPartnerName = async (db: Db, partnerId: string): Promise<string> =>
  (await db.selectFrom('partners').select('name').where('id', '=', partnerId).executeTakeFirstOrThrow()).name
