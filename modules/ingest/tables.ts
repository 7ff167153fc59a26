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

/** A row of the tables below belongs to one UTC day or hour of one partner. */
interface OfInterval {
  partner_id: string
  unit: 'day' | 'hour'
  start: Date
}

export interface UsageIntervalsTable extends OfInterval {
  user_signups: number
  account_links: number
  transactions: number
  volume_cents: number
  active_users: number
}

export interface UsageUsersTable extends OfInterval {
  user_id: string
}

export interface UsageCategoriesTable extends OfInterval {
  /** Empty for transactions without a category. */
  category: string
  transactions: number
  volume_cents: number
}

export interface UsageInstitutionsTable extends OfInterval {
  /** Empty for links without an institution. */
  institution: string
  account_links: number
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    usage_events: UsageEventsTable
    usage_intervals: UsageIntervalsTable
    usage_users: UsageUsersTable
    usage_categories: UsageCategoriesTable
    usage_institutions: UsageInstitutionsTable
  }
}
