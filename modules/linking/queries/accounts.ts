import { sql, type RawBuilder, type Selectable } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { AccountRow } from '../changes.ts'
import type { AccountsTable } from '../tables.ts'
import type { Viewer } from '../viewer.ts'

export type StoredAccount = Selectable<AccountsTable>

const columns = sql`plaid_account_id text, ordinal integer, id text, name text, mask text, type text, subtype text,
  current_balance_cents bigint, available_balance_cents bigint, iso_currency_code text, as_of timestamptz`

interface Saving {
  itemId: string
  rows: string
}

const savingOf = (itemId: string, accounts: AccountRow[]): Saving => ({
  itemId,
  rows: stringifyStorable(accounts.map((account) => ({ ...account, id: newId('acc') })))
})

type Place = (name: keyof Saving) => RawBuilder<string>

/** The item, which nobody deletes while its accounts are written. */
const heldItem = (place: Place) => sql`item as (select id from items where id = ${place('itemId')} for key share)`

/** In the order of their keys, so that two that write the same accounts do not wait for each other in a circle. */
const insertSelected = (place: Place) => sql`
  insert into accounts (id, item_id, plaid_account_id, ordinal, name, mask, type, subtype, current_balance_cents, available_balance_cents, iso_currency_code, as_of)
  select r.id, item.id, r.plaid_account_id, r.ordinal, r.name, r.mask, r.type, r.subtype, r.current_balance_cents, r.available_balance_cents, r.iso_currency_code, r.as_of
  from item cross join jsonb_to_recordset(${place('rows')}::jsonb) as r(${columns})
  order by r.plaid_account_id`

const told = [
  'ordinal',
  'name',
  'mask',
  'type',
  'subtype',
  'current_balance_cents',
  'available_balance_cents',
  'iso_currency_code',
  'as_of'
]

/** What stays of an account that is known already: of two balances the newer one. */
const newer = sql.join(
  told.map(
    (name) =>
      sql`${sql.ref(name)} = case when accounts.as_of <= excluded.as_of then ${sql.ref(`excluded.${name}`)} else ${sql.ref(`accounts.${name}`)} end`
  )
)

const saveAndList = prepared<Saving>()(
  (_db, place) => sql<StoredAccount>`
    with ${heldItem(place)},
    saved as (${insertSelected(place)} on conflict (item_id, plaid_account_id) do update set ${newer} returning *)
    select * from saved
    union all select * from accounts where item_id = (select id from item) and not exists (select from saved where saved.id = accounts.id)
    order by ordinal, id`
)

/**
 * Stores accounts with their balances; an older balance never takes the place of a newer one, and an account keeps the id that it was first given.
 * @returns all accounts of the item as they are now, in Plaid's order; none when the item is gone, and nothing is stored then.
 */
export const saveAccounts = async (trx: Trx, itemId: string, accounts: AccountRow[]): Promise<StoredAccount[]> =>
  await saveAndList(trx, savingOf(itemId, accounts))

const insertNew = prepared<Saving>()(
  (_db, place) =>
    sql`with ${heldItem(place)} ${insertSelected(place)} on conflict (item_id, plaid_account_id) do nothing`
)

/** Stores those accounts that are new, as found beside transactions. */
export const addAccounts = async (trx: Trx, itemId: string, accounts: AccountRow[]): Promise<void> => {
  await insertNew(trx, savingOf(itemId, accounts))
}

/** The accounts of some items, in Plaid's order. */
export const listAccountsOf = async (db: Db, itemIds: string[]): Promise<StoredAccount[]> => {
  if (itemIds.length === 0) return []
  return await db
    .selectFrom('accounts')
    .selectAll()
    .where('item_id', 'in', itemIds)
    .orderBy('ordinal')
    .orderBy('id')
    .execute()
}

/** Our ids of an item's accounts by Plaid's. */
export const readAccountIds = async (db: Db, itemId: string): Promise<Map<string, string>> => {
  const rows = await db
    .selectFrom('accounts')
    .select(['id', 'plaid_account_id'])
    .where('item_id', '=', itemId)
    .execute()
  return new Map(rows.map(({ id, plaid_account_id }) => [plaid_account_id, id]))
}

const findRows = prepared<{ accountId: string; partnerId: string; environments: Environment[] }>()((db, place) =>
  db
    .selectFrom('accounts')
    .innerJoin('items', 'items.id', 'accounts.item_id')
    .selectAll('accounts')
    .select([
      'items.user_id',
      'items.environment',
      'items.status',
      'items.access_token',
      'items.institution_id',
      'items.institution_name'
    ])
    .where('accounts.id', '=', place('accountId'))
    .where('items.partner_id', '=', place('partnerId'))
    .where('items.environment', '=', (eb) => eb.fn.any(place('environments')))
)

/** An account with what its item says of it. */
export const findAccountRow = async (db: Db, { partnerId, environments }: Viewer, accountId: string) =>
  (await findRows(db, { accountId, partnerId, environments }))[0]
