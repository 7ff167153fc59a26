import type { ColumnType, Generated } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'
import type { Subscriptions } from './subscriptions.ts'

export type DisabledReason = 'requested' | 'gone' | 'failing'
export type DeliveryStatus = 'pending' | 'succeeded' | 'failed'

export interface WebhooksTable {
  id: string
  partner_id: string
  /** The endpoint receives the events of this environment. */
  environment: Environment
  url: string
  events: string[]
  description: string | null
  status: 'enabled' | 'disabled'
  disabled_reason: DisabledReason | null
  version: Generated<number>
  secret: Buffer
  /** Of earlier rotations, newest first; the next rotation drops those that have expired. */
  old_secrets: Generated<Buffer[]>
  /** When each of `old_secrets` stops to sign. */
  old_secrets_expire_at: Generated<Date[]>
  /** As JSON; see `Subscriptions`. */
  subscribed_after: ColumnType<Subscriptions, string, string>
  /** Start of the current series of failures; null after a success. */
  failing_since: Date | null
  /** Whether the last attempt succeeded promptly; true before the first one. */
  responsive: Generated<boolean>
  /** Identifies the worker that currently delivers to this endpoint. */
  lease: string | null
  /** By the database clock, because the clocks of instances can differ. */
  leased_until: Date | null
  created_at: Date
}

export interface EventSequencesTable {
  partner_id: string
  environment: Environment
  last: number
}

export interface WebhookDeliveriesTable {
  id: string
  webhook_id: string
  event_id: string
  /** The sequence of the event; null until it is published. */
  sequence: ColumnType<number | null, number | null | undefined, number | null>
  status: DeliveryStatus
  /** How often it was replayed by request. */
  replays: Generated<number>
  /** Attempts since it was last queued. */
  tries: Generated<number>
  first_tried_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  next_attempt_at: Date | null
  /** When it succeeded or failed for good. */
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
