import { sql, type RawBuilder, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { NewAccount } from '../changes.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import '../tables.ts'

const columns = [
  'accounts.id',
  'accounts.item_id as itemId',
  'accounts.plaid_account_id as plaidAccountId',
  'accounts.ordinal',
  'accounts.name',
  'accounts.mask',
  'accounts.type',
  'accounts.subtype',
  'accounts.current_balance_cents as currentBalanceCents',
  'accounts.available_balance_cents as availableBalanceCents',
  'accounts.iso_currency_code as isoCurrencyCode',
  'accounts.as_of as asOf'
] as const

export type Account = Selection<Database, 'accounts', (typeof columns)[number]>

interface SaveParameters {
  itemId: string
  /** New accounts as a JSON array. */
  accounts: string
}

const toParameters = (itemId: string, accounts: NewAccount[]): SaveParameters => ({
  itemId,
  accounts: stringifyStorable(accounts.map((account) => ({ ...account, id: newId('acc') })))
})

type Place = (name: keyof SaveParameters) => RawBuilder<string>

/** Locks the item against deletion while its accounts are written. */
const lockedItem = (place: Place) => sql`item as (select id from items where id = ${place('itemId')} for key share)`

/** Inserts in key order, so that concurrent statements with the same accounts cannot deadlock. */
const insertSelected = (place: Place) => sql`
  insert into accounts (id, item_id, plaid_account_id, ordinal, name, mask, type, subtype, current_balance_cents, available_balance_cents, iso_currency_code, as_of)
  select r.id, item.id, r."plaidAccountId", r.ordinal, r.name, r.mask, r.type, r.subtype, r."currentBalanceCents", r."availableBalanceCents", r."isoCurrencyCode", r."asOf"
  from item cross join jsonb_to_recordset(${place('accounts')}::jsonb) as r("plaidAccountId" text, ordinal integer, id text, name text, mask text, type text,
    subtype text, "currentBalanceCents" bigint, "availableBalanceCents" bigint, "isoCurrencyCode" text, "asOf" timestamptz)
  order by r."plaidAccountId"`

const updatedColumns = [
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

/** Keeps the newer of two balances of a known account. */
const keepNewer = sql.join(
  updatedColumns.map(
    (name) =>
      sql`${sql.ref(name)} = case when accounts.as_of <= excluded.as_of then ${sql.ref(`excluded.${name}`)} else ${sql.ref(`accounts.${name}`)} end`
  )
)

const saveAndList = prepared<SaveParameters>()(
  (_db, place) => sql<Account>`
    with ${lockedItem(place)},
    saved as (${insertSelected(place)} on conflict (item_id, plaid_account_id) do update set ${keepNewer} returning *)
    select id, item_id as "itemId", plaid_account_id as "plaidAccountId", ordinal, name, mask, type, subtype,
      current_balance_cents as "currentBalanceCents", available_balance_cents as "availableBalanceCents", iso_currency_code as "isoCurrencyCode", as_of as "asOf"
    from (
      select * from saved
      union all select * from accounts where item_id = (select id from item) and not exists (select from saved where saved.id = accounts.id)
    ) as present
    order by ordinal, id`
)

/**
 * Stores accounts with their balances. An older balance never replaces a newer one, and an account keeps its id.
 * @returns all accounts of the item in Plaid's order; none, and nothing is stored, when the item is deleted.
 */
export const saveAccounts = async (trx: Trx, itemId: string, accounts: NewAccount[]): Promise<Account[]> =>
  await saveAndList(trx, toParameters(itemId, accounts))

const insertNew = prepared<SaveParameters>()(
  (_db, place) =>
    sql`with ${lockedItem(place)} ${insertSelected(place)} on conflict (item_id, plaid_account_id) do nothing`
)

/** Stores only the accounts that are new. */
export const addAccounts = async (trx: Trx, itemId: string, accounts: NewAccount[]): Promise<void> => {
  await insertNew(trx, toParameters(itemId, accounts))
}

/** Lists the accounts of some items in Plaid's order. */
export const listAccountsOf = async (db: Db, itemIds: string[]): Promise<Account[]> => {
  if (itemIds.length === 0) return []
  return await db
    .selectFrom('accounts')
    .select(columns)
    .where('item_id', 'in', itemIds)
    .orderBy('ordinal')
    .orderBy('id')
    .execute()
}

/** Maps Plaid's account ids of an item to ours. */
export const readAccountIds = async (db: Db, itemId: string): Promise<Map<string, string>> => {
  const rows = await db
    .selectFrom('accounts')
    .select(['id', 'plaid_account_id as plaidAccountId'])
    .where('item_id', '=', itemId)
    .execute()
  return new Map(rows.map(({ id, plaidAccountId }) => [plaidAccountId, id]))
}

const accountsWithItem = prepared<{ accountId: string; partnerId: string; environments: Environment[] }>()(
  (db, place) =>
    db
      .selectFrom('accounts')
      .innerJoin('items', 'items.id', 'accounts.item_id')
      .select(columns)
      .select(['items.user_id as userId', 'items.environment', 'items.access_token as encryptedAccessToken'])
      .where('accounts.id', '=', place('accountId'))
      .where('items.partner_id', '=', place('partnerId'))
      .where('items.environment', '=', (eb) => eb.fn.any(place('environments')))
)

/** Finds an account together with the fields of its item. */
export const findAccountWithItem = async (db: Db, { partnerId, environments }: Viewer, accountId: string) =>
  (await accountsWithItem(db, { accountId, partnerId, environments }))[0]
