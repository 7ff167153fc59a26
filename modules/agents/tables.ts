import type { ColumnType, Generated, GeneratedAlways } from 'kysely'

export type AgentStatus = 'active' | 'paused' | 'revoked'
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
      is_verified: Generated<boolean>
      /** Limits in hundredths of a credit; null without a limit. */
      daily_limit_cents: number | null
      per_transaction_limit_cents: number | null
      /** The day (UTC) of `spent_cents`. */
      spent_on: ColumnType<string | null, string | undefined, string>
      spent_cents: Generated<number>
      /** The key, encrypted, so that its owner can read it again. */
      api_key: Buffer
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
      /** In US cents. */
      amount_cents: number
      status: Generated<'open' | 'paid' | 'expired'>
      payment_intent_id: string | null
      transaction_id: number | null
      /** In hundredths of a credit, like the next two. */
      credits_cents: Generated<number>
      /** What refunds and disputes took from the wallet. */
      taken_back_cents: Generated<number>
      /** What refunds and disputes could not take, because it was spent. */
      owed_cents: Generated<number>
      created_at: Date
      paid_at: Date | null
    }
    stripe_reversals: {
      /** The refunded charge, or the dispute. */
      source_id: string
      payment_intent_id: string
      kind: 'refund' | 'dispute'
      /** In US cents, all refunds of the charge together. */
      amount_cents: number
      /** The dispute was won, so its amount no longer counts. */
      reinstated: Generated<boolean>
      updated_at: Date
    }
    stripe_events: {
      id: string
      type: string
      received_at: Date
    }
  }
}
