import type { ColumnType, Generated } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'
import type { LegKind, LegStatus } from './leg-states.ts'
import type { Rail } from './rails.ts'
import type { Network } from './settlement-calendar.ts'
import type { TransferState } from './transfer-states.ts'

declare module '../../plugins/database/types.ts' {
  interface Database {
    recipients: {
      id: string
      partner_id: string
      environment: Environment
      user_id: string | null
      name: string
      routing_number: string
      /** Encrypted, bound to `recipients.account_number:<id>`; null once the recipient is deleted. */
      account_number: Buffer | null
      mask: string
      account_type: 'checking' | 'savings'
      plaid_account_id: string
      /** Encrypted, bound to `recipients.access_token:<id>`; null once the recipient is deleted and no transfer needs it. */
      access_token: Buffer | null
      created_at: Date
      deleted_at: Date | null
    }
    transfers: {
      id: string
      partner_id: string
      environment: Environment
      /** Finds the transfer for a retry of the request that created it; cleared when the response is stored. */
      request_key: string | null
      /** The end-user of the source account. */
      user_id: string
      from_account_id: string
      to_account_id: string
      amount_cents: number
      currency: 'USD'
      memo: string | null
      legal_name: string | null
      /** The rail that pays the destination once the debit has settled. */
      credit_rail: Rail
      /** Set by a trigger from the last event. */
      state: ColumnType<'preparing' | TransferState, undefined, never>
      last_sequence: ColumnType<number, undefined, never>
      created_at: Date
      touched_at: Date
    }
    transfer_events: {
      transfer_id: string
      sequence: number
      state: TransferState
      reason: string | null
      created_at: Date
    }
    transfer_legs: {
      id: string
      transfer_id: string
      amount_cents: number
      kind: LegKind
      attempt: number
      network: Network
      status: LegStatus
      /** Counts authorizations: when one expires unused, the next follows. */
      authorization_attempt: Generated<number>
      authorization_id: string | null
      authorized_at: Date | null
      plaid_transfer_id: string | null
      reason: string | null
      retry_at: Date | null
      created_at: Date
    }
    account_funds: {
      account_id: string
      /** The sum of the account's active holds; set by a trigger. */
      held_cents: number
    }
    transfer_holds: {
      transfer_id: string
      account_id: string
      amount_cents: number
      /** The available balance that the bank reported when the hold was made; null when it reported none. */
      available_cents: number | null
      created_at: Date
      released_at: Date | null
    }
    plaid_transfer_cursors: {
      source: string
      after_id: number
    }
    plaid_transfer_events: {
      source: string
      event_id: number
      plaid_transfer_id: string
      type: LegStatus
      reason: string | null
      received_at: Date
      applied_at: Date | null
    }
  }
}
