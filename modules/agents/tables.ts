import type { ColumnType, Generated, GeneratedAlways } from 'kysely'

export type AgentStatus = 'active' | 'paused' | 'revoked'
/** Why a payment was not booked. */
export type Refusal = 'agent_revoked' | 'amount_mismatch'
export type ApprovalStatus = 'pending' | 'approved' | 'rejected' | 'expired'

declare module '../../plugins/database/types.ts' {
  interface Database {
    agents: {
      agent_id: string
      name: string
      /** Null until a user claims the agent. */
      owner_user_id: string | null
      owner_partner_id: string | null
      status: Generated<AgentStatus>
      /** Why the agent is paused: its owner wants it, or it owes credits. */
      pause_reason: ColumnType<'owner' | 'debt' | null, 'owner' | 'debt' | null | undefined, 'owner' | 'debt' | null>
      is_verified: Generated<boolean>
      /** Limits in hundredths of a credit; null without a limit. */
      daily_limit_cents: number | null
      per_transaction_limit_cents: number | null
      /** The day (UTC) of `spent_cents`. */
      spent_on: ColumnType<string | null, string | undefined, string>
      spent_cents: Generated<number>
      /** What reversed payments could not take back, because it was spent, in hundredths of a credit. */
      owed_cents: Generated<number>
      /** The key, encrypted, so that its owner can read it again; null once the agent is revoked. */
      api_key: Buffer | null
      created_at: Date
    }
    approvals: {
      id: GeneratedAlways<number>
      agent_id: string
      amount_cents: number
      description: string
      item_name: string | null
      url: string | null
      reason: 'requested' | 'daily_limit' | 'per_transaction_limit'
      status: ApprovalStatus
      created_at: Date
      expires_at: Date
      decided_at: Date | null
      decided_by: string | null
      transaction_id: number | null
    }
    stripe_payments: {
      /** Stripe's checkout session. */
      session_id: string
      agent_id: string
      /** What was ordered, in US cents. */
      amount_cents: number
      status: Generated<'open' | 'paid' | 'expired' | 'refused'>
      payment_intent_id: string | null
      transaction_id: number | null
      /** In hundredths of a credit, like the next one. */
      credits_cents: Generated<number>
      /** What refunds and disputes reversed, be it taken from the wallet or owed. */
      reversed_cents: Generated<number>
      /** What the buyer paid, in the smallest unit of the currency. */
      presented_amount: number | null
      presented_currency: string | null
      refusal: Refusal | null
      /** When a refused payment was refunded at Stripe. */
      refunded_at: Date | null
      created_at: Date
      paid_at: Date | null
    }
    stripe_reversals: {
      /** The refund, the dispute, or the charge with the sum of its refunds. */
      source_id: string
      payment_intent_id: string
      kind: 'refund' | 'dispute' | 'charge'
      /** In the smallest unit of the currency. */
      amount: number
      currency: string
      /** The refund failed or was cancelled, or the dispute was won, so the amount does not count. */
      is_void: boolean
      updated_at: Date
    }
    stripe_events: {
      id: string
      type: string
      received_at: Date
    }
  }
}
