import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db } from '../../../plugins/database/types.ts'
import '../tables.ts'
import { viewOf, type View, type Viewer } from '../../../plugins/access/viewer.ts'

/** A transaction in a feed; when it is removed, all fields except the id are null. */
export type FeedTransaction = Pick<
  FieldsOf<'transactions'>,
  | 'id'
  | 'removed'
  | 'accountId'
  | 'amountCents'
  | 'isoCurrencyCode'
  | 'date'
  | 'authorizedDate'
  | 'pending'
  | 'name'
  | 'merchantName'
  | 'category'
  | 'pendingTransactionId'
>

export interface FeedQuery {
  userId: string
  after: number
  limit: number
  since?: string | undefined
  /** Whether the stored feed is current, so that its last page can be returned to the caller. */
  upToDate: boolean
}

type FeedParameters = Viewer & Omit<FeedQuery, 'since'> & { view: View; since: string | null }

interface PageEnd {
  /** The feed position after this page. */
  next: number
  hasMore: boolean
}

type FeedRow = PageEnd & FeedTransaction

/** Reads a page of a feed in one snapshot. When the page is returned to the caller, it also advances the view's read position. */
const readRows = prepared<FeedParameters>()(
  (_db, place) => sql<FeedRow | (PageEnd & { id: null })>`
    with page as (
      select *, row_number() over (order by position) as place from (
        select id, position, removed, account_id, amount_cents, iso_currency_code, date, authorized_date, pending, name, merchant_name, category, pending_transaction_id
        from transactions
        where partner_id = ${place('partnerId')} and user_id = ${place('userId')} and environment = any(${place('environments')}) and position > ${place('after')}
          and (${place('since')}::date is null or latest_date is null or latest_date >= ${place('since')}::date)
        order by position limit ${place('limit')}::int + 1
      ) as found
    ), page_end as (
      select has_more, case when has_more then last else greatest(${place('after')}::bigint, head) end as next
      from (select count(*) > ${place('limit')}::int as has_more, max(position) filter (where place <= ${place('limit')}::int) as last from page) as counted,
        (select coalesce(max(head), 0) as head from transaction_feeds where partner_id = ${place('partnerId')} and user_id = ${place('userId')}) as feed
    ), advanced as (
      insert into transaction_feed_readers as reader (partner_id, user_id, view, position)
      select ${place('partnerId')}, ${place('userId')}, ${place('view')}, next from page_end
      where (has_more or ${place('upToDate')}::boolean) and next > coalesce((
        select position from transaction_feed_readers where partner_id = ${place('partnerId')} and user_id = ${place('userId')} and view = ${place('view')}
      ), 0)
      on conflict (partner_id, user_id, view) do update set position = excluded.position where reader.position < excluded.position
    )
    select page_end.next, page_end.has_more as "hasMore", page.id, page.removed, page.account_id as "accountId", page.amount_cents as "amountCents",
      page.iso_currency_code as "isoCurrencyCode", page.date, page.authorized_date as "authorizedDate", page.pending, page.name,
      page.merchant_name as "merchantName", page.category, page.pending_transaction_id as "pendingTransactionId"
    from page_end left join page on page.place <= ${place('limit')}::int order by page.position`
)

/** Reads one page of a feed after a position, oldest change first. `since` leaves out transactions that never had a date on or after it. */
export const readFeed = async (db: Db, viewer: Viewer, { since, ...query }: FeedQuery) => {
  const found = await readRows(db, {
    partnerId: viewer.partnerId,
    environments: viewer.environments,
    view: viewOf(viewer),
    ...query,
    since: since ?? null
  })
  const [first] = found
  if (first === undefined) throw new Error('Reading a feed returned no row.')
  const transactions = found.filter((row): row is FeedRow => row.id !== null)
  return { transactions, next: first.next, hasMore: first.hasMore }
}

/** The read position of a view of a feed; 0 before the first read. */
export const readPosition = async (db: Db, partnerId: string, userId: string, view: View): Promise<number> => {
  const row = await db
    .selectFrom('transaction_feed_readers')
    .select('position')
    .where('partner_id', '=', partnerId)
    .where('user_id', '=', userId)
    .where('view', '=', view)
    .executeTakeFirst()
  return row?.position ?? 0
}

/** The position of the latest change in a feed, of any environment; 0 before the first one. */
export const readFeedHead = async (db: Db, partnerId: string, userId: string): Promise<number> => {
  const row = await db
    .selectFrom('transaction_feeds')
    .select('head')
    .where('partner_id', '=', partnerId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row?.head ?? 0
}

/** A transaction that is not removed. */
export type PresentTransaction = {
  [Field in 'id' | 'accountId' | 'amountCents' | 'date' | 'pending' | 'name']: NonNullable<FeedTransaction[Field]>
} & Pick<FeedTransaction, 'merchantName' | 'category' | 'isoCurrencyCode' | 'authorizedDate' | 'pendingTransactionId'>

const mostListed = 20_000

const presentTransactions = prepared<Viewer & { userId: string; accountIds: string[]; since: string }>()(
  (_db, place) => sql<{ json: string }>`
    select coalesce(json_agg(latest), '[]')::text as json from (
      select id, account_id as "accountId", amount_cents as "amountCents", iso_currency_code as "isoCurrencyCode", date, authorized_date as "authorizedDate", pending, name,
        merchant_name as "merchantName", category, pending_transaction_id as "pendingTransactionId"
      from transactions
      where partner_id = ${place('partnerId')} and user_id = ${place('userId')} and environment = any(${place('environments')}) and not removed
        and date >= ${place('since')}::date and account_id = any(${place('accountIds')})
      order by date desc, id limit ${sql.lit(mostListed)}
    ) as latest`
)

/**
 * Reads the transactions of some accounts since a date that are not removed, up to the latest 20,000.
 * @returns a JSON array of `PresentTransaction`. Making objects of that many rows would block the event loop; a worker thread can parse the text.
 */
export const readTransactionsJson = async (
  db: Db,
  { partnerId, environments }: Viewer,
  userId: string,
  accountIds: string[],
  since: string
): Promise<string> => {
  const [row] = await presentTransactions(db, { partnerId, environments, userId, accountIds, since })
  return row?.json ?? '[]'
}
