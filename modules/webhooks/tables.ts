import type { ColumnType, Generated } from 'kysely'

export type DisabledReason = 'requested' | 'gone' | 'failing'

export interface WebhooksTable {
  id: string
  partner_id: string
  url: string
  events: string[]
  description: string | null
  status: 'enabled' | 'disabled'
  disabled_reason: DisabledReason | null
  version: Generated<number>
  secret: Buffer
  old_secret: Buffer | null
  old_secret_expires_at: Date | null
  /** When the failures began that no success has ended yet. */
  failing_since: Date | null
  /** Who sends this endpoint's deliveries at the moment. */
  lease: string | null
  /** By the database's own clock, so that instances whose clocks differ agree. */
  leased_until: Date | null
  created_at: Date
}

export interface EventSequencesTable {
  partner_id: string
  last: number
}

export interface WebhookDeliveriesTable {
  id: string
  webhook_id: string
  event_id: string
  /** That of the event; null until the event is published. */
  sequence: ColumnType<number | null, number | null | undefined, number | null>
  status: 'pending' | 'succeeded' | 'failed'
  /** How often it was queued again by hand. */
  replays: Generated<number>
  /** Attempts since it was queued last. */
  tries: Generated<number>
  first_tried_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  next_attempt_at: Date | null
  /** When it succeeded or was given up. */
  settled_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  created_at: Date
}

export interface WebhookAttemptsTable {
  id: Generated<number>
  delivery_id: string
  at: Date
  status: number | null
  latency_ms: number
  response_body: string | null
  error: string | null
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    webhooks: WebhooksTable
    event_sequences: EventSequencesTable
    webhook_deliveries: WebhookDeliveriesTable
    webhook_attempts: WebhookAttemptsTable
  }
}
