import type * as wire from '../../spec/generated/webhooks.ts'
import type { Delivery } from './queries/deliveries.ts'
import type { Webhook } from './queries/endpoints.ts'
import type { PublishedEvent } from './queries/events.ts'

export const toWebhook = ({ disabledReason, createdAt, ...webhook }: Webhook): wire.Webhook => ({
  ...webhook,
  disabled_reason: disabledReason,
  created_at: createdAt.toISOString()
})

export const toDelivery = (delivery: Delivery): wire.WebhookDelivery => ({
  id: delivery.id,
  webhook_id: delivery.webhookId,
  event_id: delivery.eventId,
  event_type: delivery.eventType,
  environment: delivery.environment,
  status: delivery.status,
  attempts: delivery.attempts.map(({ at, status, latencyMs, responseBody, error }) => ({
    at: at.toISOString(),
    status,
    latency_ms: latencyMs,
    response_body: responseBody,
    ...(error === null ? {} : { error })
  })),
  next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
  created_at: delivery.createdAt.toISOString()
})

export const toEvent = ({ createdAt, ...event }: PublishedEvent): wire.Event => ({
  ...event,
  created_at: createdAt.toISOString()
})
