import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from 'undici'
import { assertNoTransaction, transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { attemptTimeoutMs, isDelivered, isPrompt, sendAttempt, type AttemptOutcome } from './attempt.ts'
import { failPendingDeliveries, updateWebhook } from './queries/endpoints.ts'
import { endLease, lockLeased, renewLease, type Target } from './queries/leases.ts'
import * as queries from './queries/worker.ts'
import { readRetryAfter } from './retry-after.ts'
import { disableAfterMs, stateAfterAttempt } from './retry-schedule.ts'
import { decryptSecrets } from './secrets.ts'
import { signBody } from './signatures.ts'

/** Longer than an attempt can take, so that a lease only expires when its holder died. */
export const leaseMs = attemptTimeoutMs + 5_000

/** After this many deliveries, or this time, other endpoints have their turn. */
const maxDeliveriesPerLease = 50
const maxTurnMs = 2_000

export type DeliveryDependencies = Pick<FastifyInstance, 'clock' | 'database' | 'metrics' | 'outbox' | 'secrets'>

interface Lease {
  webhookId: string
  lease: string
}

interface Attempted {
  delivery: queries.DueDelivery
  outcome: AttemptOutcome
  at: Date
}

type LockedWebhook = NonNullable<Awaited<ReturnType<typeof lockLeased>>>
type LockedDelivery = NonNullable<Awaited<ReturnType<typeof queries.lockDelivery>>>

const send = async (
  { secrets }: Pick<FastifyInstance, 'secrets'>,
  dispatcher: Dispatcher,
  webhookId: string,
  target: Target,
  delivery: queries.DueDelivery,
  at: Date
): Promise<AttemptOutcome> => {
  assertNoTransaction()
  const { id: deliveryId, eventId, eventType, environment, eventCreatedAt, eventData } = delivery
  const body = JSON.stringify({
    id: eventId,
    type: eventType,
    environment,
    created_at: eventCreatedAt.toISOString(),
    data: eventData
  })
  const signatures = signBody(body, decryptSecrets(secrets, webhookId, target), at)
  return await sendAttempt(dispatcher, { url: target.url, deliveryId, eventType, body, signatures })
}

/** Updates the delivery, unless it was replayed since, or it has failed for good and the attempt does not change that. */
const settleDelivery = async (
  trx: Trx,
  stored: LockedDelivery,
  { delivery, outcome, at }: Attempted,
  now: Date
): Promise<void> => {
  if (stored.replays !== delivery.replays || (stored.status !== 'pending' && !isDelivered(outcome))) return
  const progress = { tries: stored.tries + 1, firstTriedAt: stored.firstTriedAt ?? at }
  const retryAfterMs = readRetryAfter(outcome.retryAfter, now)
  await queries.updateDelivery(trx, stored.id, {
    ...progress,
    ...stateAfterAttempt(isDelivered(outcome), { ...progress, retryAfterMs }, now)
  })
}

/** Tracks whether the endpoint responds and how long it has been failing, and disables it when it is gone or has failed for too long. */
const settleEndpoint = async (
  { outbox }: Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  webhook: LockedWebhook,
  { outcome, at }: Attempted,
  now: Date
): Promise<void> => {
  const { id, partnerId, environment, url } = webhook
  const failingSince = isDelivered(outcome) ? null : (webhook.failingSince ?? at)
  const isResponsive = isPrompt(outcome)
  if (webhook.isResponsive !== isResponsive || (webhook.failingSince === null) !== (failingSince === null))
    await queries.setHealth(trx, id, { failingSince, isResponsive })
  if (failingSince === null || webhook.status === 'disabled') return
  const failedTooLong = now.getTime() - failingSince.getTime() >= disableAfterMs
  const reason = outcome.status === 410 ? 'gone' : failedTooLong ? 'failing' : undefined
  if (reason === undefined) return
  await failPendingDeliveries(trx, id, now)
  await updateWebhook(trx, id, { status: 'disabled', disabledReason: reason })
  const data = { webhook_id: id, url, reason }
  await outbox.publish(trx, [{ partnerId, environment, type: 'webhook.disabled', data }])
}

const recordAttempt = async (
  app: DeliveryDependencies,
  { webhookId, lease }: Lease,
  attempted: Attempted
): Promise<void> =>
  await transact(app.database.db, async (trx) => {
    const now = app.clock.now()
    const webhook = await lockLeased(trx, webhookId, lease)
    const stored = webhook === undefined ? undefined : await queries.lockDelivery(trx, attempted.delivery.id)
    // When the lease is lost, its new holder sends the delivery again. A deleted delivery needs no record.
    if (webhook === undefined || stored === undefined) return
    await queries.insertAttempt(trx, stored.id, { ...attempted.outcome, at: attempted.at })
    await settleDelivery(trx, stored, attempted, now)
    await settleEndpoint(app, trx, webhook, attempted, now)
  })

/**
 * Sends the due deliveries of one endpoint in sequence until one fails or is slow, or others have their turn, then releases the lease. When the database fails, the
 * lease expires by itself, which delays the next attempt at the endpoint.
 */
export const deliverToEndpoint = async (
  app: DeliveryDependencies,
  dispatcher: Dispatcher,
  leased: Lease,
  isStopping: () => boolean
): Promise<void> => {
  const { db } = app.database
  const { webhookId, lease } = leased
  const endsAt = performance.now() + maxTurnMs
  for (let sent = 0; sent < maxDeliveriesPerLease && performance.now() < endsAt && !isStopping(); sent++) {
    const target = await renewLease(db, webhookId, lease, leaseMs, app.clock.now())
    const delivery = target === undefined ? undefined : await queries.nextDelivery(db, webhookId, app.clock.now())
    if (target === undefined || delivery === undefined) break
    const at = app.clock.now()
    const outcome = await send(app, dispatcher, webhookId, target, delivery, at)
    app.metrics.deliveryTried(isDelivered(outcome) ? 'succeeded' : 'failed')
    await recordAttempt(app, leased, { delivery, outcome, at })
    if (!isPrompt(outcome)) break
  }
  await endLease(db, webhookId, lease)
}
