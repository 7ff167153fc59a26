import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
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

/**
 * Moves an item to the next sync cursor by compare-and-swap, so that one of several concurrent syncs is applied.
 * @returns the item, or undefined when another sync came first or the item is deleted.
 */
export const advanceCursor = async (
  trx: Trx,
  { id, syncCursor, syncsWanted }: Item,
  cursor: string,
  now: Date
): Promise<Item | undefined> =>
  await trx
    .updateTable('items')
    .set((eb) => ({
      sync_cursor: cursor,
      last_synced_at: now,
      status: 'ok',
      error_code: sql<string | null>`case when status = 'ok' then error_code end`,
      syncs_done: eb.fn<number>('greatest', ['syncs_done', eb.val(syncsWanted)]),
      sync_retry_at: null
    }))
    .where('id', '=', id)
    .where('sync_cursor', 'is not distinct from', syncCursor)
    .returning(itemColumns)
    .executeTakeFirst()
