import type { FastifyInstance } from 'fastify'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { afterCommit } from '../../../plugins/database/transaction.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { WebhookDelivery, operations } from '../../../spec/generated/webhooks.ts'
import { deliveryNotFound, webhookDisabled, webhookNotFound } from '../errors.ts'
import * as queries from '../queries/deliveries.ts'
import { findWebhook, lockWebhook } from '../queries/endpoints.ts'
import { toDelivery } from '../wire.ts'

type DeliveryOperations = Pick<
  typeof operations,
  'testWebhook' | 'listWebhookDeliveries' | 'getWebhookDelivery' | 'replayWebhookDelivery' | 'replayFailedDeliveries'
>

const requireWebhook = async (db: Db, partnerId: string, id: string): Promise<void> => {
  if ((await findWebhook(db, partnerId, id)) === undefined) throw webhookNotFound()
}

/** Locks the endpoint, so that it cannot be disabled before the delivery is queued. */
const requireEnabled = async (db: Trx, partnerId: string, id: string): Promise<void> => {
  const webhook = await lockWebhook(db, partnerId, id)
  if (webhook === undefined) throw webhookNotFound()
  if (webhook.status === 'disabled') throw webhookDisabled()
}

const readDelivery = async (db: Db, webhookId: string, id: string): Promise<WebhookDelivery> => {
  const delivery = await queries.findDelivery(db, webhookId, id)
  if (delivery === undefined) throw deliveryNotFound()
  return toDelivery(delivery)
}

/** A test event goes to one endpoint regardless of its subscriptions; the SQL function `publish_events` treats this type specially. */
const testEventType = 'webhook.test'

/** @param wake wakes the delivery worker; called after the commit. */
export const deliveryHandlers = (
  { clock, cursors, outbox }: Pick<FastifyInstance, 'clock' | 'cursors' | 'outbox'>,
  wake: () => void
): Handlers<DeliveryOperations> => ({
  async testWebhook({ db, caller: { partnerId }, params }) {
    await requireEnabled(db, partnerId, params.id)
    const eventId = await outbox.publishAtOnce(db, { partnerId, type: testEventType, data: { webhook_id: params.id } })
    const id = newId('dlv')
    await queries.insertUnpublishedDelivery(db, { id, webhookId: params.id, eventId, createdAt: clock.now() })
    return await readDelivery(db, params.id, id)
  },

  async listWebhookDeliveries({ db, caller, params, query: { status, limit = 100, cursor } }) {
    await requireWebhook(db, caller.partnerId, params.id)
    const list = `deliveries of ${params.id}`
    const found = await queries.listDeliveries(
      db,
      params.id,
      { status, after: readTimePosition(cursors, list, cursor) },
      limit + 1
    )
    const { rows, nextCursor } = pageByTime(cursors, list, found, limit)
    return { items: rows.map(toDelivery), nextCursor }
  },

  async getWebhookDelivery({ db, caller, params }) {
    await requireWebhook(db, caller.partnerId, params.id)
    return await readDelivery(db, params.id, params.deliveryId)
  },

  async replayWebhookDelivery({ db, caller, params }) {
    await requireEnabled(db, caller.partnerId, params.id)
    await queries.requeueDelivery(db, params.id, params.deliveryId, clock.now())
    afterCommit(db, wake)
    return await readDelivery(db, params.id, params.deliveryId)
  },

  async replayFailedDeliveries({ db, caller, params, body }) {
    await requireEnabled(db, caller.partnerId, params.id)
    const replayed = await queries.requeueFailed(db, params.id, new Date(body.since), clock.now())
    afterCommit(db, wake)
    return { replayed }
  }
})
