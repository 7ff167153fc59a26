import { sql, type RawBuilder, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { History, ItemStatus } from '../tables.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'

export const itemColumns = [
  'items.id',
  'items.partner_id as partnerId',
  'items.environment',
  'items.user_id as userId',
  'items.access_token as encryptedAccessToken',
  'items.institution_id as institutionId',
  'items.institution_name as institutionName',
  'items.status',
  'items.error_code as errorCode',
  'items.sync_cursor as syncCursor',
  'items.last_synced_at as lastSyncedAt',
  'items.history',
  'items.new_accounts_available as newAccountsAvailable',
  'items.access_ends_at as accessEndsAt',
  'items.syncs_wanted as syncsWanted',
  'items.syncs_done as syncsDone',
  'items.created_at as createdAt'
] as const

export type Item = Selection<Database, 'items', (typeof itemColumns)[number]>

export const findItem = async (db: Db, { partnerId, environments }: Viewer, id: string): Promise<Item | undefined> =>
  await db
    .selectFrom('items')
    .select(itemColumns)
    .where('id', '=', id)
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .executeTakeFirst()

export const readItem = async (db: Db, id: string): Promise<Item | undefined> =>
  await db.selectFrom('items').select(itemColumns).where('id', '=', id).executeTakeFirst()

/** Finds the item that a partner linked with this public token. */
export const findItemByPublicToken = async (db: Db, partnerId: string, tokenHash: Buffer): Promise<Item | undefined> =>
  await db
    .selectFrom('item_public_tokens')
    .innerJoin('items', 'items.id', 'item_public_tokens.item_id')
    .select(itemColumns)
    .where('item_public_tokens.partner_id', '=', partnerId)
    .where('item_public_tokens.token_hash', '=', tokenHash)
    .executeTakeFirst()

const itemsOfUser = prepared<{ partnerId: string; environments: Environment[]; userId: string }>()((db, place) =>
  db
    .selectFrom('items')
    .select(itemColumns)
    .where('partner_id', '=', place('partnerId'))
    .where('environment', '=', (eb) => eb.fn.any(place('environments')))
    .where('user_id', '=', place('userId'))
    .orderBy('created_at')
    .orderBy('id')
)

/** Lists all items of an end-user, oldest first. */
export const listItemsOfUser = async (db: Db, { partnerId, environments }: Viewer, userId: string): Promise<Item[]> =>
  await itemsOfUser(db, { partnerId, environments, userId })

/** The item that another one repeats: that of the accounts which count in place of all its open ones. */
const duplicatedItem = sql<string | null>`(
  select case when count(*) = count(original.item_id) and min(original.item_id) = max(original.item_id) then min(original.item_id) end
  from accounts as account left join accounts as original on original.id = account.duplicate_of
  where account.item_id = items.id and account.closed_at is null)`

export interface ListedItem extends Item {
  /** How many of its records are kept aside because they cannot be stored. */
  quarantinedRecords: number
  duplicateOf: string | null
}

const historiesOfUser = prepared<{ partnerId: string; environments: Environment[]; userId: string }>()((db, place) =>
  db
    .selectFrom('items')
    .select('history')
    .distinct()
    .where('partner_id', '=', place('partnerId'))
    .where('environment', '=', (eb) => eb.fn.any(place('environments')))
    .where('user_id', '=', place('userId'))
)

/** How much of an end-user's history is stored: that of the item with the least. */
export const readHistoryOf = async (db: Db, { partnerId, environments }: Viewer, userId: string): Promise<History> => {
  const rows = await historiesOfUser(db, { partnerId, environments, userId })
  const found = new Set(rows.map(({ history }) => history))
  return found.has('loading') ? 'loading' : found.has('recent') ? 'recent' : 'complete'
}

/** Lists up to `limit` items of an end-user, newest first, after the given position. */
export const pageItems = async (
  db: Db,
  { partnerId, environments }: Viewer,
  userId: string,
  after: TimePosition | undefined,
  limit: number
): Promise<ListedItem[]> =>
  await db
    .selectFrom('items')
    .select(itemColumns)
    .select([
      sql<number>`(select count(*)::integer from quarantined_records where item_id = items.id)`.as(
        'quarantinedRecords'
      ),
      duplicatedItem.as('duplicateOf')
    ])
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('user_id', '=', userId)
    .$call(newestFirst(after, limit))
    .execute()

/** The item that an item repeats; null when some of its accounts are in no other item. */
export const readDuplicatedItem = async (db: Db, id: string): Promise<string | null> =>
  (await db.selectFrom('items').select(duplicatedItem.as('duplicateOf')).where('id', '=', id).executeTakeFirst())
    ?.duplicateOf ?? null

type NewItem = Pick<
  FieldsOf<'items'>,
  'id' | 'partnerId' | 'environment' | 'userId' | 'plaidItemId' | 'institutionId' | 'institutionName' | 'createdAt'
>

/** Inserts an item; undefined when Plaid's item is already stored, for any partner. */
export const insertItem = async (trx: Trx, item: NewItem, encryptedAccessToken: Buffer): Promise<Item | undefined> =>
  await trx
    .insertInto('items')
    .values({ ...toRow(item), access_token: encryptedAccessToken })
    .onConflict((conflict) => conflict.column('plaid_item_id').doNothing())
    .returning(itemColumns)
    .executeTakeFirst()

export const lockItem = async (trx: Trx, id: string): Promise<Item | undefined> =>
  await trx.selectFrom('items').select(itemColumns).where('id', '=', id).forUpdate().executeTakeFirst()

export const lockItemByPlaidId = async (trx: Trx, plaidItemId: string) =>
  await trx
    .selectFrom('items')
    .select(itemColumns)
    .where('plaid_item_id', '=', plaidItemId)
    .forUpdate()
    .executeTakeFirst()

/** Stores the new access token of an item that was linked again. */
export const renewItem = async (
  trx: Trx,
  id: string,
  accessToken: Buffer,
  institution: { institutionId?: string | undefined; institutionName?: string | undefined }
): Promise<Item> =>
  await trx
    .updateTable('items')
    .set({
      ...toRow(institution),
      access_token: accessToken,
      status: 'ok',
      error_code: null,
      removal_began_at: null,
      new_accounts_available: false,
      access_ends_at: null
    })
    .where('id', '=', id)
    .returning(itemColumns)
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

/** Sets the status of an item. @returns the item when that changed it. */
export const setItemStatus = async (trx: Trx, id: string, status: ItemStatus, errorCode: string | null) =>
  await trx
    .updateTable('items')
    .set({ status, error_code: errorCode })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('status', '<>', status), eb('error_code', 'is distinct from', errorCode)]))
    .returning(itemColumns)
    .executeTakeFirst()

/** Stores when the bank ends the access to an item; null when it was renewed. */
export const setAccessEnd = async (trx: Trx, id: string, at: Date | null): Promise<void> => {
  await trx.updateTable('items').set({ access_ends_at: at }).where('id', '=', id).execute()
}

/** Notes that the bank offers accounts of an item that the end-user has not shared. */
export const noteNewAccounts = async (trx: Trx, id: string): Promise<void> => {
  await trx.updateTable('items').set({ new_accounts_available: true }).where('id', '=', id).execute()
}

/** Finds an item by Plaid's id in the environments whose Plaid signed the webhook. */
export const findItemOfWebhook = async (trx: Trx, plaidItemId: string, environments: Environment[]) =>
  await trx
    .selectFrom('items')
    .select(itemColumns)
    .where('plaid_item_id', '=', plaidItemId)
    .where('environment', 'in', environments)
    .executeTakeFirst()

/** Longer than removing an item at Plaid can take; an older removal died with its process. */
const removalTimeoutMs = 10 * 60_000

/**
 * SQL that selects those of some items that are not being removed, and locks them against removal until the transaction ends. Belongs
 * in the statement that starts something with these items.
 */
export const selectHeldItems = (ids: RawBuilder<string[]>, now: RawBuilder<Date>): RawBuilder<{ id: string }> =>
  sql`select id from items where id = any(${ids}) and (removal_began_at is null or removal_began_at < ${now}::timestamptz - ${sql.lit(removalTimeoutMs)} * interval '1 ms')
    order by id for key share`

/** Marks an item as being removed, which blocks `selectHeldItems`, or with null as kept. */
export const setRemoval = async (db: Db, id: string, beganAt: Date | null): Promise<void> => {
  await db.updateTable('items').set({ removal_began_at: beganAt }).where('id', '=', id).execute()
}

/** Deletes an item and its accounts. Its transactions must already be tombstones. */
export const deleteItem = async (trx: Trx, id: string): Promise<void> => {
  await trx.deleteFrom('items').where('id', '=', id).execute()
}

/** Selects the items of an end-user in one environment. */
export const selectItemsOf = (
  db: Db,
  { partnerId, environment, userId }: Pick<Item, 'partnerId' | 'environment' | 'userId'>
) =>
  db
    .selectFrom('items')
    .select('items.id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', environment)
    .where('user_id', '=', userId)

/** Selects the end-users of a partner that have linked an item. */
export const selectEndUsers = (db: Db, { partnerId, environments }: Viewer) =>
  db
    .selectFrom('items')
    .select('user_id as userId')
    .distinct()
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)

/** Lists up to `limit` end-users of a partner that have linked an item, by id. */
export const listEndUsers = async (db: Db, viewer: Viewer, limit: number): Promise<string[]> => {
  const rows = await selectEndUsers(db, viewer).orderBy('user_id').limit(limit).execute()
  return rows.map(({ userId }) => userId)
}

/** Reads the name that Link shows to end-users. */
export const readPartnerName = async (db: Db, partnerId: string): Promise<string> =>
  (await db.selectFrom('partners').select('name').where('id', '=', partnerId).executeTakeFirstOrThrow()).name
