import type { Insertable, Selectable } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import type { ItemsTable, LinkTokensTable } from './tables.ts'

type Item = Selectable<ItemsTable>

/** A public token expires after half an hour, as Plaid's does. */
const publicTokenLifeMs = 30 * 60_000

export const insertItem = async (db: Db, item: Insertable<ItemsTable>): Promise<Item> =>
  await db.insertInto('simulators.plaid_items').values(item).returningAll().executeTakeFirstOrThrow()

/** The item of a migrated account. The same account number returns the same item until that is removed. */
export const insertMigratedItem = async (db: Db, item: Insertable<ItemsTable>): Promise<Item> => {
  const inserted = await db
    .insertInto('simulators.plaid_items')
    .values(item)
    .onConflict((conflict) =>
      conflict
        .column('migrated_fingerprint')
        .where('migrated_fingerprint', 'is not', null)
        .where('removed_at', 'is', null)
        .doNothing()
    )
    .returningAll()
    .executeTakeFirst()
  return (
    inserted ??
    (await db
      .selectFrom('simulators.plaid_items')
      .selectAll()
      .where('migrated_fingerprint', '=', item.migrated_fingerprint ?? null)
      .where('removed_at', 'is', null)
      .executeTakeFirstOrThrow())
  )
}

export const insertPublicToken = async (db: Db, token: string, itemId: string, now: Date): Promise<void> => {
  await db
    .insertInto('simulators.plaid_public_tokens')
    .values({
      public_token: token,
      item_id: itemId,
      created_at: now,
      expires_at: new Date(now.getTime() + publicTokenLifeMs)
    })
    .execute()
}

export const findItemByPublicToken = async (
  db: Db,
  token: string
): Promise<(Item & { expires_at: Date }) | undefined> =>
  await db
    .selectFrom('simulators.plaid_public_tokens as token')
    .innerJoin('simulators.plaid_items as item', 'item.item_id', 'token.item_id')
    .selectAll('item')
    .select('token.expires_at')
    .where('token.public_token', '=', token)
    .executeTakeFirst()

export const findItemByAccessToken = async (db: Db, token: string): Promise<Item | undefined> =>
  await db.selectFrom('simulators.plaid_items').selectAll().where('access_token', '=', token).executeTakeFirst()

export const findItem = async (db: Db, itemId: string): Promise<Item | undefined> =>
  await db.selectFrom('simulators.plaid_items').selectAll().where('item_id', '=', itemId).executeTakeFirst()

/** @returns whether this is the item's first exchange */
export const markExchanged = async (db: Db, itemId: string, now: Date): Promise<boolean> => {
  const result = await db
    .updateTable('simulators.plaid_items')
    .set({ exchanged_at: now })
    .where('item_id', '=', itemId)
    .where('exchanged_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export const markRemoved = async (db: Db, itemId: string, now: Date): Promise<void> => {
  await db
    .updateTable('simulators.plaid_items')
    .set({ removed_at: now })
    .where('item_id', '=', itemId)
    .where('removed_at', 'is', null)
    .execute()
}

export const setLoginRequired = async (db: Db, itemId: string, since: Date | null): Promise<boolean> => {
  const result = await db
    .updateTable('simulators.plaid_items')
    .set({ login_required_at: since })
    .where('item_id', '=', itemId)
    .where('removed_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Notes that the end-user ended the access to an account. */
export const setRevoked = async (db: Db, itemId: string, accountKey: string): Promise<void> => {
  await db
    .updateTable('simulators.plaid_items')
    .set({ revoked_key: accountKey })
    .where('item_id', '=', itemId)
    .execute()
}

/** Notes that the end-user shares all accounts of the bank. */
export const setSharesAll = async (db: Db, itemId: string, at: Date): Promise<void> => {
  await db.updateTable('simulators.plaid_items').set({ shares_all_at: at }).where('item_id', '=', itemId).execute()
}

/** The first request that names a length fixes the length of an item's history. */
export const setDaysRequested = async (db: Db, itemId: string, days: number): Promise<Item> => {
  await db
    .updateTable('simulators.plaid_items')
    .set({ days_requested: days })
    .where('item_id', '=', itemId)
    .where('days_requested', 'is', null)
    .execute()
  return await db
    .selectFrom('simulators.plaid_items')
    .selectAll()
    .where('item_id', '=', itemId)
    .executeTakeFirstOrThrow()
}

export const setLastWebhook = async (db: Db, itemId: string, code: string, sentAt: Date): Promise<void> => {
  await db
    .updateTable('simulators.plaid_items')
    .set({ last_webhook_code: code, last_webhook_at: sentAt })
    .where('item_id', '=', itemId)
    .execute()
}

/** Adds a batch of new transactions. The lock on the item's row keeps ordinals consecutive and unique. */
export const insertBatch = async (db: Db, itemId: string, firedAt: Date): Promise<void> => {
  await db.transaction().execute(async (trx) => {
    const { batch_count: ordinal } = await trx
      .updateTable('simulators.plaid_items')
      .set((eb) => ({ batch_count: eb('batch_count', '+', 1) }))
      .where('item_id', '=', itemId)
      .returning('batch_count')
      .executeTakeFirstOrThrow()
    await trx.insertInto('simulators.plaid_batches').values({ item_id: itemId, ordinal, fired_at: firedAt }).execute()
  })
}

export const findBatchesAfter = async (db: Db, itemId: string, ordinal: number) =>
  await db
    .selectFrom('simulators.plaid_batches')
    .select(['ordinal', 'fired_at'])
    .where('item_id', '=', itemId)
    .where('ordinal', '>', ordinal)
    .orderBy('ordinal')
    .execute()

export const insertLinkToken = async (db: Db, row: Insertable<LinkTokensTable>): Promise<void> => {
  await db.insertInto('simulators.plaid_link_tokens').values(row).execute()
}

export const findLinkToken = async (db: Db, token: string): Promise<Selectable<LinkTokensTable> | undefined> =>
  await db.selectFrom('simulators.plaid_link_tokens').selectAll().where('link_token', '=', token).executeTakeFirst()
