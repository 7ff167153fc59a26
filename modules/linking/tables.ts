import type { ColumnType, Generated } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'
import type { View } from '../../plugins/access/viewer.ts'

export type ItemStatus = 'ok' | 'login_required' | 'error'

/** How much of an item's history is stored: nothing yet, about the last 30 days, or all that Plaid has. */
export type History = 'loading' | 'recent' | 'complete'

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
      /** Plaid's cursor after the last committed sync; null when the next sync reads everything and removes what does not come back. */
      sync_cursor: string | null
      last_synced_at: Date | null
      history: Generated<History>
      /** Whether the bank offers accounts that the end-user has not shared. */
      new_accounts_available: Generated<boolean>
      /** When the bank ends the access unless the end-user renews it; null when no end is known. */
      access_ends_at: Date | null
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
      /** In minor units of the currency by ISO 4217, such as cents for USD and yen for JPY. */
      current_balance_cents: number | null
      /** In minor units, as above. */
      available_balance_cents: number | null
      /** Null for currencies without an ISO code; their amounts have two decimals. */
      iso_currency_code: string | null
      as_of: Date
      /** The bank's own identity of the account, equal in every item that has it; null at most banks. */
      persistent_account_id: string | null
      /** When the bank stopped listing the account; null while it is open. */
      closed_at: Date | null
      /** The account of another item of the end-user that is this same account and counts in its place. */
      duplicate_of: string | null
    }
    quarantined_records: {
      item_id: string
      kind: 'account' | 'transaction' | 'removal'
      /** Plaid's id of the record, or a hash of it when it has none. */
      record_key: string
      fault: string
      /** The record as Plaid sent it; null when it is too large to keep. */
      record: ColumnType<unknown, string | null, string | null>
      seen_at: Date
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
      /** Positive when money leaves the account; in minor units of the currency by ISO 4217. */
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
      /** Each view of a feed has its own read position. */
      view: View
      position: number
    }
  }
}
