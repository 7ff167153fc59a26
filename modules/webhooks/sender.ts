import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from 'undici'
import { assertNoTransaction, transact } from '../../plugins/database/transaction.ts'
import { disableAfterMs, nextAttemptAt } from './ladder.ts'
import { arrived, attemptTimeoutMs, post, type Outcome } from './posting.ts'
import { changeWebhook, giveUpPending } from './queries/endpoints.ts'
import {
  endLease,
  insertAttempt,
  lockDelivery,
  lockLeased,
  nextDelivery,
  renewLease,
  setDeliveryState,
  setFailingSince,
  type DueDelivery,
  type Target
} from './queries/sending.ts'
import { openSecrets } from './secrets.ts'
import { signBody } from './signatures.ts'

/** Longer than an attempt can take, so that a lease ends only after its holder died. */
export const leaseMs = attemptTimeoutMs + 5_000

/** After so many deliveries in a row the endpoint goes to the back of the queue. */
const mostInARow = 50

interface Lease {
  webhookId: string
  lease: string
}

const send = async (
  app: FastifyInstance,
  dispatcher: Dispatcher,
  webhookId: string,
  target: Target,
  delivery: DueDelivery,
  at: Date
): Promise<Outcome> => {
  assertNoTransaction()
  const body = JSON.stringify({
    id: delivery.event_id,
    type: delivery.event_type,
    created_at: delivery.event_created_at.toISOString(),
    data: delivery.event_data
  })
  const signatures = signBody(body, openSecrets(app.secrets, webhookId, target, at), at)
  return await post(dispatcher, {
    url: target.url,
    deliveryId: delivery.id,
    eventType: delivery.event_type,
    body,
    signatures
  })
}

/** Writes an attempt down and decides what becomes of the delivery and of the endpoint, in one transaction. */
const record = async (
  app: FastifyInstance,
  { webhookId, lease }: Lease,
  sent: DueDelivery,
  at: Date,
  outcome: Outcome
): Promise<void> => {
  await transact(app.database.db, async (trx) => {
    const now = app.clock.now()
    const webhook = await lockLeased(trx, webhookId, lease)
    const delivery = webhook === undefined ? undefined : await lockDelivery(trx, sent.id)
    // Whoever took the lease over sends the delivery again; one that is deleted needs nothing any more.
    if (webhook === undefined || delivery === undefined) return
    await insertAttempt(trx, delivery.id, { ...outcome, at })
    const firstTriedAt = delivery.first_tried_at ?? at
    const tried = { tries: delivery.tries + 1, first_tried_at: firstTriedAt }
    // Replayed or given up in the meantime: a replay goes its own way, and only a success says more than what is written already.
    const current = delivery.replays === sent.replays
    if (arrived(outcome)) {
      if (current)
        await setDeliveryState(trx, delivery.id, {
          status: 'succeeded',
          settled_at: now,
          next_attempt_at: null,
          ...tried
        })
      if (webhook.failing_since !== null) await setFailingSince(trx, webhookId, null)
      return
    }
    if (current && delivery.status === 'pending') {
      const next = nextAttemptAt(tried.tries, firstTriedAt, now)
      await setDeliveryState(
        trx,
        delivery.id,
        next === undefined
          ? { status: 'failed', settled_at: now, next_attempt_at: null, ...tried }
          : { status: 'pending', settled_at: null, next_attempt_at: next, ...tried }
      )
    }
    if (webhook.status === 'disabled') return
    const failingSince = webhook.failing_since ?? at
    if (webhook.failing_since === null) await setFailingSince(trx, webhookId, failingSince)
    const reason =
      outcome.status === 410 ? 'gone' : now.getTime() - failingSince.getTime() >= disableAfterMs ? 'failing' : undefined
    if (reason === undefined) return
    await giveUpPending(trx, webhookId, now)
    await changeWebhook(trx, webhookId, { status: 'disabled', disabled_reason: reason })
    await app.outbox.publish(trx, [
      {
        partnerId: webhook.partner_id,
        type: 'webhook.disabled',
        data: { webhook_id: webhookId, url: webhook.url, reason }
      }
    ])
  })
}

/**
 * Sends what is due to one endpoint, one delivery after the other, for as long as its lease holds; then gives the lease back. When the database fails, the lease
 * is left to end by itself, so that the endpoint is not tried at once again and again.
 */
export const serveEndpoint = async (
  app: FastifyInstance,
  dispatcher: Dispatcher,
  leased: Lease,
  stopping: () => boolean
): Promise<void> => {
  const { db } = app.database
  const { webhookId, lease } = leased
  for (let sent = 0; sent < mostInARow && !stopping(); sent++) {
    const target = await renewLease(db, webhookId, lease, leaseMs)
    const delivery = target === undefined ? undefined : await nextDelivery(db, webhookId, app.clock.now())
    if (target === undefined || delivery === undefined) break
    const at = app.clock.now()
    const outcome = await send(app, dispatcher, webhookId, target, delivery, at)
    app.metrics.deliveryTried(arrived(outcome) ? 'succeeded' : 'failed')
    await record(app, leased, delivery, at, outcome)
  }
  await endLease(db, webhookId, lease)
}
