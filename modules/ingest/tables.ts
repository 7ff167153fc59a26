import type { Generated } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'

/** A row of the tables below belongs to one UTC day or hour of one environment of a partner. */
interface OfInterval {
  partner_id: string
  environment: Environment
  unit: 'day' | 'hour'
  start: Date
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    usage_events: {
      id: Generated<number>
      partner_id: string
      environment: Environment
      event_type: 'user_signup' | 'account_link' | 'transaction' | 'correction'
      user_id: string | null
      amount_cents: number | null
      category: string | null
      institution: string | null
      occurred_at: Date
      event_id: string | null
      received_at: Date
      /** Only for corrections: the `event_id` of the transaction that it corrects. */
      corrects: string | null
      /** What it adds to the number of transactions. */
      transactions: Generated<number>
    }
    usage_intervals: OfInterval & {
      user_signups: number
      account_links: number
      transactions: number
      volume_cents: number
      active_users: number
    }
    usage_users: OfInterval & { user_id: string }
    usage_categories: OfInterval & {
      /** Empty for transactions without a category. */
      category: string
      transactions: number
      volume_cents: number
    }
    usage_institutions: OfInterval & {
      /** Empty for links without an institution. */
      institution: string
      account_links: number
    }
  }
}
