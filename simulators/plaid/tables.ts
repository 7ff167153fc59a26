import type { ColumnType, Generated } from 'kysely'
import type { JWK } from 'jose'

/** A jsonb column: read as a value, written as a string, because the engines disagree on arrays. */
type Json<T> = ColumnType<T, string, string>

export interface ItemsTable {
  item_id: string
  access_token: string
  institution_id: string | null
  client_user_id: string | null
  webhook: string | null
  products: Json<string[]>
  days_requested: number | null
  /** The sandbox user who logged in; null for the usual one. */
  username: string | null
  created_at: Date
  exchanged_at: Date | null
  login_required_at: Date | null
  removed_at: Date | null
  /** When the end-user last completed Link's update mode, which shares accounts that the bank has added. */
  shares_all_at: Date | null
  /** The account to which the end-user ended the access. */
  revoked_key: string | null
  batch_count: Generated<number>
  last_webhook_code: string | null
  last_webhook_at: Date | null
  migrated_fingerprint: string | null
  migrated_mask: string | null
  migrated_subtype: 'checking' | 'savings' | null
}

export interface PublicTokensTable {
  public_token: string
  item_id: string
  created_at: Date
  expires_at: Date
}

/** The part of its request that a link token keeps. */
export interface LinkRequest {
  client_name: string
  language: string
  country_codes: string[]
  products: string[]
  webhook: string | null
  redirect_uri: string | null
  client_user_id: string | null
  days_requested: number | null
  /** Whether update mode lets the end-user add accounts. */
  account_selection: boolean
}

export interface LinkTokensTable {
  link_token: string
  created_at: Date
  expires_at: Date
  update_item_id: string | null
  request: Json<LinkRequest>
}

export interface BatchesTable {
  item_id: string
  ordinal: number
  fired_at: Date
}

export type TransferType = 'debit' | 'credit'
export type TransferNetwork = 'ach' | 'same-day-ach' | 'rtp' | 'wire'
export type AchClass = 'ccd' | 'ppd' | 'tel' | 'web'
export type TransferStatus = 'pending' | 'posted' | 'settled' | 'funds_available' | 'cancelled' | 'failed' | 'returned'
export type Decision = 'approved' | 'declined' | 'user_action_required'

export interface TransferUser {
  legal_name: string
  phone_number: string | null
  email_address: string | null
  address: Record<'street' | 'city' | 'region' | 'postal_code' | 'country', string | null> | null
}

export interface TransferFailure {
  failure_code: string | null
  ach_return_code: string | null
  description: string
}

export interface AuthorizationsTable {
  authorization_id: string
  idempotency_key: string | null
  item_id: string
  account_id: string
  type: TransferType
  network: TransferNetwork
  ach_class: AchClass | null
  amount_cents: number
  legal_user: Json<TransferUser>
  decision: Decision
  rationale_code: string | null
  created_at: Date
}

export interface TransfersTable {
  transfer_id: string
  authorization_id: string
  amount_cents: number
  description: string
  metadata: ColumnType<Record<string, string> | null, string | null, string | null>
  status: TransferStatus
  failure: ColumnType<TransferFailure | null, string | null, string | null>
  created_at: Date
  next_due_at: Date | null
}

export interface TransferEventsTable {
  event_id: number
  transfer_id: string
  event_type: TransferStatus
  failure: ColumnType<TransferFailure | null, string | null, string | null>
  created_at: Date
}

export interface CountersTable {
  name: string
  value: number
}

export interface WebhookKeysTable {
  key_id: string
  private_jwk: Json<JWK>
  created_at: Date
  expired_at: Date | null
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    'simulators.plaid_items': ItemsTable
    'simulators.plaid_public_tokens': PublicTokensTable
    'simulators.plaid_link_tokens': LinkTokensTable
    'simulators.plaid_batches': BatchesTable
    'simulators.plaid_authorizations': AuthorizationsTable
    'simulators.plaid_transfers': TransfersTable
    'simulators.plaid_transfer_events': TransferEventsTable
    'simulators.plaid_counters': CountersTable
    'simulators.plaid_webhook_keys': WebhookKeysTable
  }
}
