import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../../plugins/access/caller.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { afterCommit } from '../../../plugins/database/transaction.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
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

const requireWebhook = async (db: Db, viewer: Viewer, id: string): Promise<void> => {
  if ((await findWebhook(db, viewer, id)) === undefined) throw webhookNotFound()
}

/** Locks the endpoint, so that it cannot be disabled before the delivery is queued. @returns its environment. */
const requireEnabled = async (db: Trx, viewer: Viewer, id: string): Promise<Environment> => {
  const webhook = await lockWebhook(db, viewer, id)
  if (webhook === undefined) throw webhookNotFound()
  if (webhook.status === 'disabled') throw webhookDisabled()
  return webhook.environment
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
  async testWebhook({ db, caller, params }) {
    const { partnerId } = caller
    const environment = await requireEnabled(db, caller, params.id)
    const event = { partnerId, environment, type: testEventType, data: { webhook_id: params.id } }
    const eventId = await outbox.publishAtOnce(db, event)
    const id = newId('dlv')
    await queries.insertUnpublishedDelivery(db, { id, webhookId: params.id, eventId, createdAt: clock.now() })
    return await readDelivery(db, params.id, id)
  },

  async listWebhookDeliveries({ db, caller, params, query: { status, limit = 100, cursor } }) {
    await requireWebhook(db, caller, params.id)
    const list = filteredList(`deliveries of ${params.id}`, { status })
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
    await requireWebhook(db, caller, params.id)
    return await readDelivery(db, params.id, params.deliveryId)
  },

  async replayWebhookDelivery({ db, caller, params }) {
    await requireEnabled(db, caller, params.id)
    await queries.requeueDelivery(db, params.id, params.deliveryId, clock.now())
    afterCommit(db, wake)
    return await readDelivery(db, params.id, params.deliveryId)
  },

  async replayFailedDeliveries({ db, caller, params, body }) {
    await requireEnabled(db, caller, params.id)
    const replayed = await queries.requeueFailed(db, params.id, new Date(body.since), clock.now())
    afterCommit(db, wake)
    return { replayed }
  }
})
