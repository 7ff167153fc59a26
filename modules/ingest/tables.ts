import type { Generated } from 'kysely'

export interface UsageEventsTable {
  id: Generated<number>
  partner_id: string
  event_type: 'user_signup' | 'account_link' | 'transaction'
  user_id: string | null
  amount_cents: number | null
  category: string | null
  institution: string | null
  occurred_at: Date
  event_id: string | null
  received_at: Date
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    usage_events: UsageEventsTable
  }
}
