import type { Generated } from 'kysely'

declare module '../../plugins/database/types.ts' {
  interface Database {
    loans: {
      id: Generated<number>
      agent_id: string
      /** The owner whose limit the loan counts for; null while its agent has none. */
      owner_user_id: string | null
      /** The agent had no owner when it borrowed, so the loan counts for the limit of those agents until it is repaid. */
      without_owner: boolean
      amount_cents: number
      amount_repaid_cents: Generated<number>
      status: Generated<'active' | 'repaid' | 'defaulted'>
      purpose: string | null
      requested_cents: number
      /** The score at the decision, and its limit. */
      score: number
      limit_cents: number
      requested_at: Date
      due_at: Date
      /** When the late payment was reported to the bureau. */
      late_at: Date | null
      defaulted_at: Date | null
      repaid_at: Date | null
      /** When the repayment was reported to the bureau as on time. */
      on_time_at: Date | null
    }
  }
}
