import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { SeenAccount } from '../duplicates.ts'
import type { Item } from './items.ts'

/** An end-user in one environment. */
export type EndUser = Pick<Item, 'partnerId' | 'environment' | 'userId'>

/** Locks the items of an end-user, always in the same order, so that concurrent transactions cannot deadlock. @returns their ids. */
export const lockItemsOf = async (trx: Trx, { partnerId, environment, userId }: EndUser): Promise<string[]> => {
  const rows = await trx
    .selectFrom('items')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', environment)
    .where('user_id', '=', userId)
    .orderBy('id')
    .forUpdate()
    .execute()
  return rows.map(({ id }) => id)
}

/** Lists what identifies every account of an end-user. */
export const listSeenAccounts = async (db: Db, { partnerId, environment, userId }: EndUser): Promise<SeenAccount[]> =>
  await db
    .selectFrom('accounts')
    .innerJoin('items', 'items.id', 'accounts.item_id')
    .select([
      'accounts.id',
      'accounts.item_id as itemId',
      sql<boolean>`items.status = 'ok'`.as('itemWorks'),
      'items.created_at as itemCreatedAt',
      'items.institution_id as institutionId',
      'accounts.ordinal',
      'accounts.name',
      'accounts.mask',
      'accounts.subtype',
      'accounts.persistent_account_id as persistentAccountId',
      sql<boolean>`accounts.closed_at is not null`.as('isClosed'),
      'accounts.duplicate_of as duplicateOf'
    ])
    .where('items.partner_id', '=', partnerId)
    .where('items.environment', '=', environment)
    .where('items.user_id', '=', userId)
    .execute()

/** Stores which account an account duplicates; null when it counts itself. */
export const setDuplicateOf = async (trx: Trx, id: string, duplicateOf: string | null): Promise<void> => {
  await trx.updateTable('accounts').set({ duplicate_of: duplicateOf }).where('id', '=', id).execute()
}
