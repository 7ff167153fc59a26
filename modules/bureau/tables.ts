import type { Generated } from 'kysely'
import type { EventKind } from './history.ts'
import type { EventState } from './states.ts'

declare module '../../plugins/database/types.ts' {
  interface Database {
    bureau_agents: {
      agent_id: string
      name: string
      owner_email: string | null
      platform: string | null
      enrolled_at: Date
      on_time: Generated<number>
      late: Generated<number>
      missed: Generated<number>
      disputes: Generated<number>
      open_accounts: Generated<number>
      open_limits_cents: Generated<number>
      debt_closed_cents: Generated<number>
    }
    bureau_accounts: {
      id: Generated<number>
      agent_id: string
      /** The furnisher that opened it. */
      partner_id: string
      platform: string
      account_type: string
      credit_limit_cents: number | null
      opened_at: Date
      closed_at: Date | null
      /** The furnisher came to own the agent, so the account does not count. */
      is_excluded: Generated<boolean>
    }
    bureau_events: {
      id: Generated<number>
      agent_id: string
      kind: EventKind
      /** The reported amount, or the account's limit. */
      amount_cents: number | null
      account_id: number | null
      /** The furnisher; null for reports of this server. */
      partner_id: string | null
      reporter_name: string
      reporter_platform: string
      notes: string | null
      created_at: Date
      state: Generated<EventState>
      /** When the agent's owner disputed the report, and why; kept after the dispute. */
      disputed_at: Date | null
      dispute_reason: string | null
    }
  }
}
