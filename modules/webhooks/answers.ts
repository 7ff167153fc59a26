import type { Webhook, WebhookDelivery, Event } from '../../spec/generated/webhooks.ts'
import type { DeliveryRow } from './queries/deliveries.ts'
import type { WebhookRow } from './queries/endpoints.ts'
import type { FeedRow } from './queries/publishing.ts'

export const toWebhook = (row: WebhookRow): Webhook => ({
  id: row.id,
  url: row.url,
  events: row.events,
  description: row.description,
  status: row.status,
  disabled_reason: row.disabled_reason,
  version: row.version,
  created_at: row.created_at.toISOString()
})

export const toDelivery = (row: DeliveryRow): WebhookDelivery => ({
  id: row.id,
  webhook_id: row.webhook_id,
  event_id: row.event_id,
  event_type: row.event_type,
  status: row.status,
  attempts: row.attempts.map(({ at, status, latency_ms, response_body, error }) => ({
    at: at.toISOString(),
    status,
    latency_ms,
    response_body,
    ...(error === null ? {} : { error })
  })),
  next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
  created_at: row.created_at.toISOString()
})

export const toEvent = (row: FeedRow): Event => ({
  id: row.id,
  type: row.type,
  sequence: row.sequence,
  created_at: row.created_at.toISOString(),
  data: row.data
})
