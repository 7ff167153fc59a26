import { sql, type Selectable } from 'kysely'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { AccountRow } from '../changes.ts'
import type { AccountsTable } from '../tables.ts'
import type { Viewer } from '../viewer.ts'

export type StoredAccount = Selectable<AccountsTable>

const columns = sql`plaid_account_id text, ordinal integer, id text, name text, mask text, type text, subtype text,
  current_balance_cents bigint, available_balance_cents bigint, iso_currency_code text, as_of timestamptz`

const rowsOf = (accounts: AccountRow[]) =>
  sql`jsonb_to_recordset(${stringifyStorable(accounts.map((account) => ({ ...account, id: newId('acc') })))}::jsonb) as r(${columns})`

const insertSelected = (itemId: string, accounts: AccountRow[]) => sql`
  insert into accounts (id, item_id, plaid_account_id, ordinal, name, mask, type, subtype, current_balance_cents, available_balance_cents, iso_currency_code, as_of)
  select r.id, ${itemId}, r.plaid_account_id, r.ordinal, r.name, r.mask, r.type, r.subtype, r.current_balance_cents, r.available_balance_cents, r.iso_currency_code, r.as_of
  from ${rowsOf(accounts)}`

/** Stores accounts with their balances; an older balance never takes the place of a newer one. An account keeps the id that it was first given. */
export const saveAccounts = async (trx: Trx, itemId: string, accounts: AccountRow[]): Promise<void> => {
  await sql`${insertSelected(itemId, accounts)}
    on conflict (item_id, plaid_account_id) do update set ordinal = excluded.ordinal, name = excluded.name, mask = excluded.mask, type = excluded.type,
      subtype = excluded.subtype, current_balance_cents = excluded.current_balance_cents, available_balance_cents = excluded.available_balance_cents,
      iso_currency_code = excluded.iso_currency_code, as_of = excluded.as_of
    where accounts.as_of <= excluded.as_of`.execute(trx)
}

/** Stores those accounts that are new, as found beside transactions. */
export const addAccounts = async (trx: Trx, itemId: string, accounts: AccountRow[]): Promise<void> => {
  await sql`${insertSelected(itemId, accounts)} on conflict (item_id, plaid_account_id) do nothing`.execute(trx)
}

/** The accounts of some items, in Plaid's order. */
export const listAccountsOf = async (db: Db, itemIds: string[]): Promise<StoredAccount[]> => {
  if (itemIds.length === 0) return []
  return await db.selectFrom('accounts').selectAll().where('item_id', 'in', itemIds).orderBy('ordinal').orderBy('id').execute()
}

/** Our ids of an item's accounts by Plaid's. */
export const readAccountIds = async (db: Db, itemId: string): Promise<Map<string, string>> => {
  const rows = await db.selectFrom('accounts').select(['id', 'plaid_account_id']).where('item_id', '=', itemId).execute()
  return new Map(rows.map(({ id, plaid_account_id }) => [plaid_account_id, id]))
}

/** An account with what its item says of it. */
export const findAccountRow = async (db: Db, { partnerId, environments }: Viewer, accountId: string) =>
  await db
    .selectFrom('accounts')
    .innerJoin('items', 'items.id', 'accounts.item_id')
    .selectAll('accounts')
    .select(['items.user_id', 'items.environment', 'items.status', 'items.access_token', 'items.institution_id', 'items.institution_name'])
    .where('accounts.id', '=', accountId)
    .where('items.partner_id', '=', partnerId)
    .where('items.environment', 'in', environments)
    .executeTakeFirst()
