import type { Generated } from 'kysely'

export type LoanStatus = 'active' | 'repaid' | 'defaulted'

export interface LoansTable {
  id: Generated<number>
  agent_id: string
  amount_cents: number
  amount_repaid_cents: Generated<number>
  status: Generated<LoanStatus>
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
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    loans: LoansTable
  }
}
