import { sql, type RawBuilder, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Listing, NewAccount } from '../changes.ts'
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
  'accounts.as_of as asOf',
  'accounts.persistent_account_id as persistentAccountId',
  'accounts.closed_at as closedAt',
  'accounts.duplicate_of as duplicateOf'
] as const

export type Account = Selection<Database, 'accounts', (typeof columns)[number]>

interface SaveParameters {
  itemId: string
  /** New accounts as a JSON array. */
  accounts: string
}

interface ListingParameters extends SaveParameters {
  listedIds: string[]
  now: Date
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
  insert into accounts (id, item_id, plaid_account_id, ordinal, name, mask, type, subtype, current_balance_cents, available_balance_cents, iso_currency_code, as_of,
    persistent_account_id)
  select r.id, item.id, r."plaidAccountId", r.ordinal, r.name, r.mask, r.type, r.subtype, r."currentBalanceCents", r."availableBalanceCents", r."isoCurrencyCode", r."asOf",
    r."persistentAccountId"
  from item cross join jsonb_to_recordset(${place('accounts')}::jsonb) as r("plaidAccountId" text, ordinal integer, id text, name text, mask text, type text,
    subtype text, "currentBalanceCents" bigint, "availableBalanceCents" bigint, "isoCurrencyCode" text, "asOf" timestamptz, "persistentAccountId" text)
  order by r."plaidAccountId"`

/** The columns that an older listing must not replace. */
const datedColumns = [
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

/** Keeps the newer of two balances of a known account, and the identity once the bank gave it. */
const keepNewer = sql.join([
  ...datedColumns.map(
    (name) =>
      sql`${sql.ref(name)} = case when accounts.as_of <= excluded.as_of then ${sql.ref(`excluded.${name}`)} else ${sql.ref(`accounts.${name}`)} end`
  ),
  sql`persistent_account_id = coalesce(excluded.persistent_account_id, accounts.persistent_account_id)`
])

const saveAndList = prepared<ListingParameters>()(
  (_db, place) => sql<Account>`
    with ${lockedItem(place)},
    saved as (${insertSelected(place)} on conflict (item_id, plaid_account_id) do update set ${keepNewer},
      closed_at = case when accounts.closed_at <= ${place('now')}::timestamptz then null else accounts.closed_at end returning *),
    closed as (
      update accounts set closed_at = ${place('now')}::timestamptz where item_id = (select id from item) and closed_at is null and cardinality(${place('listedIds')}::text[]) > 0
        and plaid_account_id <> all(${place('listedIds')}::text[]) returning *
    ),
    released as (
      delete from quarantined_records where item_id = (select id from item) and kind = 'account'
        and record_key in (select "plaidAccountId" from jsonb_to_recordset(${place('accounts')}::jsonb) as r("plaidAccountId" text))
    )
    select id, item_id as "itemId", plaid_account_id as "plaidAccountId", ordinal, name, mask, type, subtype,
      current_balance_cents as "currentBalanceCents", available_balance_cents as "availableBalanceCents", iso_currency_code as "isoCurrencyCode", as_of as "asOf",
      persistent_account_id as "persistentAccountId", closed_at as "closedAt", duplicate_of as "duplicateOf"
    from (
      select * from saved union all select * from closed
      union all select * from accounts where item_id = (select id from item)
        and not exists (select from saved where saved.id = accounts.id) and not exists (select from closed where closed.id = accounts.id)
    ) as present
    order by ordinal, id`
)

/**
 * Stores the accounts that a bank listed, with their balances, and closes those of the item that it no longer lists. An older balance never replaces a newer
 * one, and an account keeps its id. A bank that lists nothing closes nothing. Sound accounts leave the quarantine.
 * @returns all accounts of the item in Plaid's order; none, and nothing is stored, when the item is deleted.
 */
export const saveAccounts = async (
  trx: Trx,
  itemId: string,
  { accounts, listedIds }: Pick<Listing, 'accounts' | 'listedIds'>,
  now: Date
): Promise<Account[]> => await saveAndList(trx, { ...toParameters(itemId, accounts), listedIds, now })

const insertNew = prepared<SaveParameters>()(
  (_db, place) =>
    sql`with ${lockedItem(place)} ${insertSelected(place)} on conflict (item_id, plaid_account_id) do nothing`
)

/** Stores only the accounts that are new. */
export const addAccounts = async (trx: Trx, itemId: string, accounts: NewAccount[]): Promise<void> => {
  await insertNew(trx, toParameters(itemId, accounts))
}

/** Closes an account to which the end-user ended the access. */
export const closeAccount = async (trx: Trx, itemId: string, plaidAccountId: string, now: Date): Promise<void> => {
  await trx
    .updateTable('accounts')
    .set({ closed_at: now })
    .where('item_id', '=', itemId)
    .where('plaid_account_id', '=', plaidAccountId)
    .where('closed_at', 'is', null)
    .execute()
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

/** The accounts of an item by Plaid's id. */
export const readAccountsByPlaidId = async (
  db: Db,
  itemId: string
): Promise<Map<string, Pick<Account, 'id' | 'duplicateOf'>>> => {
  const rows = await db
    .selectFrom('accounts')
    .select(['id', 'plaid_account_id as plaidAccountId', 'duplicate_of as duplicateOf'])
    .where('item_id', '=', itemId)
    .execute()
  return new Map(rows.map(({ plaidAccountId, ...account }) => [plaidAccountId, account]))
}

const accountsWithItem = prepared<{ accountId: string; partnerId: string; environments: Environment[] }>()(
  (db, place) =>
    db
      .selectFrom('accounts')
      .innerJoin('items', 'items.id', 'accounts.item_id')
      .select(columns)
      .select([
        'items.user_id as userId',
        'items.environment',
        'items.institution_id as institutionId',
        'items.access_token as encryptedAccessToken'
      ])
      .where('accounts.id', '=', place('accountId'))
      .where('items.partner_id', '=', place('partnerId'))
      .where('items.environment', '=', (eb) => eb.fn.any(place('environments')))
)

/** Finds an account together with the fields of its item. */
export const findAccountWithItem = async (db: Db, { partnerId, environments }: Viewer, accountId: string) =>
  (await accountsWithItem(db, { accountId, partnerId, environments }))[0]
