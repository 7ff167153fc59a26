import type { Environment } from '../../plugins/access/caller.ts'
import type { View } from '../../plugins/access/viewer.ts'

declare module '../../plugins/database/types.ts' {
  interface Database {
    end_user_time_zones: {
      partner_id: string
      environment: Environment
      user_id: string
      /** An IANA name. */
      time_zone: string
    }
    served_forecasts: {
      id: string
      partner_id: string
      /** Each view of an end-user's accounts has its own forecasts. */
      view: View
      user_id: string
      currency: string
      horizon_days: number
      /** The end-user's day on which it was served. */
      day: string
      served_at: Date
      /** A hash of everything that the forecast was computed from. */
      basis: string
      account_ids: string[]
      /** The spendable balance that it starts from. */
      balance_cents: number
      mean_daily_flow_cents: number
      /** By days after `day`; the first element is one day after it. */
      projected_cents: number[]
      low_cents: number[]
      high_cents: number[]
      /** The latest transactions that the balance contained. */
      counted_ids: string[]
    }
  }
}
