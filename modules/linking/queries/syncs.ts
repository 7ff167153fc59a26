import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { History } from '../tables.ts'
import { itemColumns, type Item } from './items.ts'

/** Requests a sync of these items; the request stays until a sync succeeds. */
export const requestSync = async (trx: Trx, ids: string[]): Promise<void> => {
  if (ids.length === 0) return
  await trx
    .updateTable('items')
    .set((eb) => ({ syncs_wanted: eb('syncs_wanted', '+', 1), sync_retry_at: null }))
    .where('id', 'in', ids)
    .execute()
}

/** Lists items with a requested sync that is due, longest waiting first. */
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

/** Postpones the requested sync of an item. */
export const postponeSync = async (db: Db, id: string, until: Date): Promise<void> => {
  await db.updateTable('items').set({ sync_retry_at: until }).where('id', '=', id).execute()
}

/** Cancels the requested sync of an item. */
export const cancelSync = async (db: Db, id: string): Promise<void> => {
  await db
    .updateTable('items')
    .set((eb) => ({ syncs_done: eb.ref('syncs_wanted'), sync_retry_at: null }))
    .where('id', '=', id)
    .execute()
}

/** Discards the cursor of an item that Plaid refused and requests a sync that reads everything; does nothing when another sync came first. */
export const discardCursor = async (db: Db, id: string, cursor: string): Promise<void> => {
  await db
    .updateTable('items')
    .set((eb) => ({ sync_cursor: null, syncs_wanted: eb('syncs_wanted', '+', 1), sync_retry_at: null }))
    .where('id', '=', id)
    .where('sync_cursor', '=', cursor)
    .execute()
}

/** Requests a sync of an item that reads everything again. */
export const requestFreshSync = async (trx: Trx, id: string): Promise<void> => {
  await trx.updateTable('items').set({ sync_cursor: null }).where('id', '=', id).execute()
  await requestSync(trx, [id])
}

export interface SyncStep {
  /** Null when the next sync has to read everything again. */
  cursor: string | null
  /** Null when Plaid has nothing yet. */
  syncedAt: Date | null
  history: History
  /** When to sync again although nothing asked for it; null when nothing is outstanding. */
  retryAt: Date | null
}

/**
 * Moves an item to the next sync cursor by compare-and-swap, so that one of several concurrent syncs is applied.
 * @returns the item, or undefined when another sync came first or the item is deleted.
 */
export const advanceCursor = async (
  trx: Trx,
  { id, syncCursor, lastSyncedAt, syncsWanted }: Item,
  { cursor, syncedAt, history, retryAt }: SyncStep
): Promise<Item | undefined> =>
  await trx
    .updateTable('items')
    .set((eb) => ({
      sync_cursor: cursor,
      last_synced_at: syncedAt ?? lastSyncedAt,
      history,
      status: 'ok',
      error_code: sql<string | null>`case when status = 'ok' then error_code end`,
      // A request that stays open is repeated when it is due.
      syncs_wanted:
        retryAt === null
          ? eb.ref('syncs_wanted')
          : eb.fn<number>('greatest', ['syncs_wanted', eb('syncs_done', '+', 1)]),
      syncs_done:
        retryAt === null ? eb.fn<number>('greatest', ['syncs_done', eb.val(syncsWanted)]) : eb.ref('syncs_done'),
      sync_retry_at: retryAt
    }))
    .where('id', '=', id)
    .where('sync_cursor', 'is not distinct from', syncCursor)
    .returning(itemColumns)
    .executeTakeFirst()
