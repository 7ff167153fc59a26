import { sql } from 'kysely'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { NewTransaction } from '../changes.ts'
import '../tables.ts'
import type { Item } from './items.ts'

const rowsPerStatement = 1_000

function* chunksOf<Row>(rows: Row[]): Generator<Row[]> {
  for (let start = 0; start < rows.length; start += rowsPerStatement) yield rows.slice(start, start + rowsPerStatement)
}

/** Reserves the next `count` positions of an end-user's feed and locks the feed until the transaction ends. @returns the position before them. */
const reservePositions = async (trx: Trx, { partnerId, userId }: Item, count: number): Promise<number> => {
  const { head } = await trx
    .insertInto('transaction_feeds')
    .values({ partner_id: partnerId, user_id: userId, head: count })
    .onConflict((conflict) =>
      conflict
        .columns(['partner_id', 'user_id'])
        .doUpdateSet((eb) => ({ head: eb('transaction_feeds.head', '+', count) }))
    )
    .returning('head')
    .executeTakeFirstOrThrow()
  return head - count
}

const content = [
  'item_id',
  'account_id',
  'amount_cents',
  'iso_currency_code',
  'date',
  'authorized_date',
  'pending',
  'name',
  'merchant_name',
  'category',
  'pending_transaction_id'
]

const contentOf = (table: string) => sql.join(content.map((column) => sql.ref(`${table}.${column}`)))

/** Saves transactions that differ from what is stored. @returns the ids of those. */
const saveTransactions = async (
  trx: Trx,
  item: Item,
  positioned: (NewTransaction & { position: number })[]
): Promise<string[]> => {
  const { rows } = await sql<{
    id: string
  }>`insert into transactions (id, partner_id, environment, user_id, item_id, position, removed, latest_date, account_id, amount_cents,
      iso_currency_code, date, authorized_date, pending, name, merchant_name, category, pending_transaction_id)
    select r.id, ${item.partnerId}, ${item.environment}, ${item.userId}, ${item.id}, r.position, false, r.date, r."accountId", r."amountCents",
      r."isoCurrencyCode", r.date, r."authorizedDate", r.pending, r.name, r."merchantName", r.category, r."pendingTransactionId"
    from jsonb_to_recordset(${stringifyStorable(positioned)}::jsonb) as r(id text, position bigint, "accountId" text, "amountCents" bigint,
      "isoCurrencyCode" text, date date, "authorizedDate" date, pending boolean, name text, "merchantName" text, category text, "pendingTransactionId" text)
    on conflict (id) do update set position = excluded.position, removed = false, latest_date = greatest(transactions.latest_date, excluded.latest_date),
      item_id = excluded.item_id, account_id = excluded.account_id, amount_cents = excluded.amount_cents, iso_currency_code = excluded.iso_currency_code,
      date = excluded.date, authorized_date = excluded.authorized_date, pending = excluded.pending, name = excluded.name,
      merchant_name = excluded.merchant_name, category = excluded.category, pending_transaction_id = excluded.pending_transaction_id
    where transactions.removed or (${contentOf('transactions')}) is distinct from (${contentOf('excluded')})
    returning id`.execute(trx)
  return rows.map(({ id }) => id)
}

/** Turns transactions into tombstones. @returns the ids of those that were present, and of the pending ones that they had replaced. */
const removeTransactions = async (
  trx: Trx,
  positioned: { id: string; position: number }[]
): Promise<{ id: string; pendingTransactionId: string | null }[]> => {
  const { rows } = await sql<{ id: string; pendingTransactionId: string | null }>`
    with present as (
      select t.id, t.pending_transaction_id, r.position from transactions t
      join jsonb_to_recordset(${stringifyStorable(positioned)}::jsonb) as r(id text, position bigint) on r.id = t.id where not t.removed
    ), gone as (
      update transactions t set removed = true, account_id = null, amount_cents = null, iso_currency_code = null, date = null, authorized_date = null,
        pending = null, name = null, merchant_name = null, category = null, pending_transaction_id = null, position = present.position
      from present where t.id = present.id
    )
    select id, pending_transaction_id as "pendingTransactionId" from present`.execute(trx)
  return rows
}

/** What a change of the feed did. */
export interface Written {
  changed: number
  removed: number
  /** The purchases that it concerned: a pending transaction and its posted successor are one, with the id of the pending one. */
  purchaseIds: Set<string>
}

/**
 * Appends changes of one item to its end-user's feed, in the given order. Removals of unknown transactions, and transactions that are stored
 * like this already, are left out.
 */
export const writeChanges = async (
  trx: Trx,
  item: Item,
  saved: NewTransaction[],
  removedIds: string[]
): Promise<Written> => {
  const written: Written = { changed: 0, removed: 0, purchaseIds: new Set() }
  if (saved.length + removedIds.length === 0) return written
  let position = await reservePositions(trx, item, saved.length + removedIds.length)
  for (const chunk of chunksOf(removedIds)) {
    const positioned = chunk.map((id) => ({ id, position: ++position }))
    for (const { id, pendingTransactionId } of await removeTransactions(trx, positioned)) {
      written.removed += 1
      written.purchaseIds.add(id)
      if (pendingTransactionId !== null) written.purchaseIds.add(pendingTransactionId)
    }
  }
  for (const chunk of chunksOf(saved)) {
    const positioned = chunk.map((transaction) => ({ ...transaction, position: ++position }))
    const changedIds = new Set(await saveTransactions(trx, item, positioned))
    written.changed += changedIds.size
    for (const { id, pendingTransactionId } of chunk)
      if (changedIds.has(id)) written.purchaseIds.add(pendingTransactionId ?? id)
  }
  return written
}

/** Lists the transactions of an item, or of one of its accounts, that are not removed, oldest change first. */
export const listPresentIds = async (db: Db, itemId: string, accountId?: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('transactions')
    .select('id')
    .where('item_id', '=', itemId)
    .where('removed', '=', false)
    .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
    .orderBy('position')
    .execute()
  return rows.map(({ id }) => id)
}

/** Removes every transaction of an item and appends the removals to the feed, so that readers learn of them. */
export const removeTransactionsOf = async (trx: Trx, item: Item): Promise<void> => {
  await writeChanges(trx, item, [], await listPresentIds(trx, item.id))
  const unlinked = { item_id: null, latest_date: null }
  await trx.updateTable('transactions').set(unlinked).where('item_id', '=', item.id).execute()
}
