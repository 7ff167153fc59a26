import type { ColumnType, Generated } from 'kysely'
import type { JWK } from 'jose'

/** A jsonb column: read as a value, written as a string, because both engines then agree on arrays. */
type Json<T> = ColumnType<T, string, string>

export interface ItemsTable {
  item_id: string
  access_token: string
  institution_id: string | null
  client_user_id: string | null
  webhook: string | null
  products: Json<string[]>
  days_requested: number | null
  created_at: Date
  exchanged_at: Date | null
  login_required_at: Date | null
  removed_at: Date | null
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

/** What a link token remembers of the request that made it. */
export interface LinkRequest {
  client_name: string
  language: string
  country_codes: string[]
  products: string[]
  webhook: string | null
  redirect_uri: string | null
  client_user_id: string | null
  days_requested: number | null
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
    plaid_sim_items: ItemsTable
    plaid_sim_public_tokens: PublicTokensTable
    plaid_sim_link_tokens: LinkTokensTable
    plaid_sim_batches: BatchesTable
    plaid_sim_authorizations: AuthorizationsTable
    plaid_sim_transfers: TransfersTable
    plaid_sim_transfer_events: TransferEventsTable
    plaid_sim_counters: CountersTable
    plaid_sim_webhook_keys: WebhookKeysTable
  }
}
