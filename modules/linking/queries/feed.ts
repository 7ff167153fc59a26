import { sql, type Selectable } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TransactionRow } from '../changes.ts'
import type { FeedView, TransactionsTable } from '../tables.ts'
import { viewOf, type Viewer } from '../viewer.ts'
import type { ItemRow } from './items.ts'

export type StoredTransaction = Selectable<TransactionsTable>

const rowsAStatement = 1_000

function* chunksOf<Row>(rows: Row[]): Generator<Row[]> {
  for (let start = 0; start < rows.length; start += rowsAStatement) yield rows.slice(start, start + rowsAStatement)
}

/** Takes the next `count` positions of an end-user's feed, and its lock until the transaction ends. @returns the position before them. */
const takePositions = async (trx: Trx, { partner_id, user_id }: ItemRow, count: number): Promise<number> => {
  const { head } = await trx
    .insertInto('transaction_feeds')
    .values({ partner_id, user_id, head: count })
    .onConflict((conflict) =>
      conflict
        .columns(['partner_id', 'user_id'])
        .doUpdateSet((eb) => ({ head: eb('transaction_feeds.head', '+', count) }))
    )
    .returning('head')
    .executeTakeFirstOrThrow()
  return head - count
}

const saveTransactions = async (
  trx: Trx,
  item: ItemRow,
  positioned: (TransactionRow & { position: number })[]
): Promise<void> => {
  await sql`insert into transactions (id, partner_id, environment, user_id, item_id, position, removed, latest_date, account_id, amount_cents,
      iso_currency_code, date, authorized_date, pending, name, merchant_name, category, pending_transaction_id)
    select r.id, ${item.partner_id}, ${item.environment}, ${item.user_id}, ${item.id}, r.position, false, r.date, r.account_id, r.amount_cents,
      r.iso_currency_code, r.date, r.authorized_date, r.pending, r.name, r.merchant_name, r.category, r.pending_transaction_id
    from jsonb_to_recordset(${stringifyStorable(positioned)}::jsonb) as r(id text, position bigint, account_id text, amount_cents bigint,
      iso_currency_code text, date date, authorized_date date, pending boolean, name text, merchant_name text, category text, pending_transaction_id text)
    on conflict (id) do update set position = excluded.position, removed = false, latest_date = greatest(transactions.latest_date, excluded.latest_date),
      item_id = excluded.item_id, account_id = excluded.account_id, amount_cents = excluded.amount_cents, iso_currency_code = excluded.iso_currency_code,
      date = excluded.date, authorized_date = excluded.authorized_date, pending = excluded.pending, name = excluded.name,
      merchant_name = excluded.merchant_name, category = excluded.category, pending_transaction_id = excluded.pending_transaction_id`.execute(
    trx
  )
}

const emptied = sql`removed = true, account_id = null, amount_cents = null, iso_currency_code = null, date = null, authorized_date = null,
  pending = null, name = null, merchant_name = null, category = null, pending_transaction_id = null`

const buryTransactions = async (trx: Trx, positioned: { id: string; position: number }[]): Promise<void> => {
  await sql`update transactions t set ${emptied}, position = r.position
    from jsonb_to_recordset(${stringifyStorable(positioned)}::jsonb) as r(id text, position bigint) where t.id = r.id and not t.removed`.execute(
    trx
  )
}

/** Writes changes of one item at the end of its end-user's feed. Removals of what was never shown are left out; nobody has to hear of them. */
export const writeChanges = async (
  trx: Trx,
  item: ItemRow,
  saved: TransactionRow[],
  removedIds: string[]
): Promise<void> => {
  if (saved.length + removedIds.length === 0) return
  let position = await takePositions(trx, item, saved.length + removedIds.length)
  for (const chunk of chunksOf(removedIds))
    await buryTransactions(
      trx,
      chunk.map((id) => ({ id, position: ++position }))
    )
  for (const chunk of chunksOf(saved))
    await saveTransactions(
      trx,
      item,
      chunk.map((row) => ({ ...row, position: ++position }))
    )
}

/** Turns every transaction of an item into a tombstone at the end of the feed, so that readers hear that it is gone. */
export const buryItem = async (trx: Trx, item: ItemRow): Promise<void> => {
  const rows = await trx
    .selectFrom('transactions')
    .select('id')
    .where('item_id', '=', item.id)
    .where('removed', '=', false)
    .orderBy('position')
    .execute()
  await writeChanges(
    trx,
    item,
    [],
    rows.map(({ id }) => id)
  )
  await trx
    .updateTable('transactions')
    .set({ item_id: null, latest_date: null })
    .where('item_id', '=', item.id)
    .execute()
}

/** What of a transaction is shown. */
export type ShownTransaction = Omit<
  StoredTransaction,
  'partner_id' | 'environment' | 'user_id' | 'item_id' | 'latest_date'
>

export interface FeedPage {
  rows: ShownTransaction[]
  /** The position after this page: nothing that can be seen at or before it is left to tell. */
  next: number
  hasMore: boolean
}

export interface FeedQuery {
  userId: string
  after: number
  limit: number
  since?: string | undefined
  /** Whether a page after which nothing is stored is the answer as well, and not a reason to ask the banks first. */
  upToDate: boolean
}

interface FeedParameters extends Viewer {
  view: FeedView
  userId: string
  after: number
  limit: number
  since: string | null
  upToDate: boolean
}

interface Reached {
  next: number
  has_more: boolean
}

type FeedRow = Reached & ShownTransaction

/** A page of a feed as of one moment, which also notes how far the view was handed out when the page is an answer; that never moves back. */
const readRows = prepared<FeedParameters>()(
  (_db, place) => sql<FeedRow | (Reached & { id: null })>`
    with page as (
      select *, row_number() over (order by position) as place from (
        select id, position, removed, account_id, amount_cents, iso_currency_code, date, authorized_date, pending, name, merchant_name, category, pending_transaction_id
        from transactions
        where partner_id = ${place('partnerId')} and user_id = ${place('userId')} and environment = any(${place('environments')}) and position > ${place('after')}
          and (${place('since')}::date is null or latest_date is null or latest_date >= ${place('since')}::date)
        order by position limit ${place('limit')}::int + 1
      ) as found
    ), reached as (
      select has_more, case when has_more then last else greatest(${place('after')}::bigint, head) end as next
      from (select count(*) > ${place('limit')}::int as has_more, max(position) filter (where place <= ${place('limit')}::int) as last from page) as counted,
        (select coalesce(max(head), 0) as head from transaction_feeds where partner_id = ${place('partnerId')} and user_id = ${place('userId')}) as feed
    ), handed_out as (
      insert into transaction_feed_readers as reader (partner_id, user_id, view, position)
      select ${place('partnerId')}, ${place('userId')}, ${place('view')}, next from reached
      where (has_more or ${place('upToDate')}::boolean) and next > coalesce((
        select position from transaction_feed_readers where partner_id = ${place('partnerId')} and user_id = ${place('userId')} and view = ${place('view')}
      ), 0)
      on conflict (partner_id, user_id, view) do update set position = excluded.position where reader.position < excluded.position
    )
    select reached.*, page.* from reached left join page on page.place <= ${place('limit')}::int order by page.position`
)

/** One page of a feed after a position, oldest change first. With `since` rows that were never shown on or after that day are left out. */
export const readFeed = async (db: Db, viewer: Viewer, { since, ...query }: FeedQuery): Promise<FeedPage> => {
  const found = await readRows(db, {
    partnerId: viewer.partnerId,
    environments: viewer.environments,
    view: viewOf(viewer),
    ...query,
    since: since ?? null
  })
  const [first] = found
  if (first === undefined) throw new Error('The statement that reads a feed answered no row.')
  return { rows: found.filter((row): row is FeedRow => row.id !== null), next: first.next, hasMore: first.has_more }
}

/** How far a view of a feed was ever handed out; 0 when never. */
export const readPosition = async (db: Db, partnerId: string, userId: string, view: FeedView): Promise<number> => {
  const row = await db
    .selectFrom('transaction_feed_readers')
    .select('position')
    .where('partner_id', '=', partnerId)
    .where('user_id', '=', userId)
    .where('view', '=', view)
    .executeTakeFirst()
  return row?.position ?? 0
}

/** The present transactions of an end-user's accounts from a day on, oldest first. */
export const listPresentTransactions = async (
  db: Db,
  { partnerId, environments }: Viewer,
  userId: string,
  since: string | undefined,
  limit: number
) =>
  await db
    .selectFrom('transactions')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('user_id', '=', userId)
    .where('environment', 'in', environments)
    .where('removed', '=', false)
    .$if(since !== undefined, (query) => query.where('date', '>=', since ?? null))
    .orderBy('date', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
