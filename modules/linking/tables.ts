import type { ColumnType, Generated } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'

export type ItemStatus = 'ok' | 'login_required' | 'error'

/** The view of a feed by callers who see one environment or both. */
export type FeedView = Environment | 'all'

declare module '../../plugins/database/types.ts' {
  interface Database {
    items: {
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
      /** Plaid's error code, or with the status `ok` the code of a warning. */
      error_code: string | null
      /** Plaid's cursor after the last committed sync. */
      sync_cursor: string | null
      last_synced_at: Date | null
      /** Counts sync requests, so that a request during a sync is not mistaken for done. */
      syncs_wanted: Generated<number>
      syncs_done: Generated<number>
      sync_retry_at: Date | null
      /** When the removal at Plaid began; null when there is none. */
      removal_began_at: Date | null
      created_at: Date
    }
    item_public_tokens: {
      partner_id: string
      token_hash: Buffer
      item_id: string
      created_at: Date
    }
    accounts: {
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
    transactions: {
      id: string
      partner_id: string
      environment: Environment
      user_id: string
      /** The position of its latest change in the end-user's feed. */
      position: number
      /** A tombstone: the columns below except `latest_date` are null. */
      removed: boolean
      /** The latest date it ever had, so that readers with `since` learn when it moves to an earlier date. */
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
    transaction_feeds: {
      partner_id: string
      user_id: string
      head: number
    }
    transaction_feed_readers: {
      partner_id: string
      user_id: string
      view: FeedView
      position: number
    }
  }
}
