import type { ColumnType, Generated } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'

export type ItemStatus = 'ok' | 'login_required' | 'error'

export interface ItemsTable {
  id: string
  partner_id: string
  environment: Environment
  user_id: string
  plaid_item_id: string
  /** Encrypted; its context is `items.access_token:<id>`. */
  access_token: Buffer
  institution_id: string | null
  institution_name: string | null
  status: ColumnType<ItemStatus, ItemStatus | undefined, ItemStatus>
  /** Plaid's code of what is wrong, or with the status `ok` of what soon will be. */
  error_code: string | null
  /** Plaid's cursor of what was committed last. */
  sync_cursor: string | null
  last_synced_at: Date | null
  /** How often a sync was asked for. A counter, so that a wish that arrives during a sync is not taken for fulfilled by it. */
  syncs_wanted: Generated<number>
  syncs_done: Generated<number>
  sync_retry_at: Date | null
  /** When the access began to be ended at Plaid; null while it is not. */
  removal_began_at: Date | null
  created_at: Date
}

export interface ItemPublicTokensTable {
  partner_id: string
  token_hash: Buffer
  item_id: string
  created_at: Date
}

export interface AccountsTable {
  id: string
  item_id: string
  plaid_account_id: string
  ordinal: number
  name: string
  mask: string | null
  type: string
  subtype: string | null
  current_balance_cents: number | null
  available_balance_cents: number | null
  iso_currency_code: string | null
  as_of: Date
}

export interface TransactionsTable {
  id: string
  partner_id: string
  environment: Environment
  user_id: string
  /** The place of its latest change in the end-user's feed. */
  position: number
  /** A tombstone; the columns below but `latest_date` are null then. */
  removed: boolean
  /** The latest date that was ever shown for it, so that a reader with `since` is told when it moves before that day. */
  latest_date: string | null
  item_id: string | null
  account_id: string | null
  /** Positive when money leaves the account. */
  amount_cents: number | null
  iso_currency_code: string | null
  date: string | null
  authorized_date: string | null
  pending: boolean | null
  name: string | null
  merchant_name: string | null
  category: string | null
  pending_transaction_id: string | null
}

export interface TransactionFeedsTable {
  partner_id: string
  user_id: string
  head: number
}

export interface TransactionFeedReadersTable {
  partner_id: string
  user_id: string
  view: FeedView
  position: number
}

/** Who reads a feed: callers of one environment, or those who see both. */
export type FeedView = Environment | 'all'

declare module '../../plugins/database/types.ts' {
  interface Database {
    items: ItemsTable
    item_public_tokens: ItemPublicTokensTable
    accounts: AccountsTable
    transactions: TransactionsTable
    transaction_feeds: TransactionFeedsTable
    transaction_feed_readers: TransactionFeedReadersTable
  }
}
