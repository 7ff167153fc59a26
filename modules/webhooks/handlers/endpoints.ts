import type { FastifyInstance } from 'fastify'
import { environmentOfNew, viewOfList, type Viewer } from '../../../plugins/access/viewer.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { invalidFields } from '../../../plugins/http/errors/kinds.ts'
import { requireVersion } from '../../../plugins/http/if-match.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import { quotas } from '../../../plugins/quotas.ts'
import type { WebhookChanges, operations } from '../../../spec/generated/webhooks.ts'
import { endpointUrlFault } from '../endpoint-url.ts'
import { rotationLimitReached, webhookLimitReached, webhookNotFound } from '../errors.ts'
import * as queries from '../queries/endpoints.ts'
import { encryptSecret, maxRotations, newWebhookSecret, rotationOverlapMs } from '../secrets.ts'
import { changeSubscriptions, subscribe } from '../subscriptions.ts'
import { toWebhook } from '../wire.ts'

type EndpointOperations = Pick<
  typeof operations,
  'listWebhooks' | 'createWebhook' | 'getWebhook' | 'updateWebhook' | 'deleteWebhook' | 'rotateWebhookSecret'
>

const lockWebhook = async (db: Trx, viewer: Viewer, id: string): Promise<queries.Webhook> => {
  const webhook = await queries.lockWebhook(db, viewer, id)
  if (webhook === undefined) throw webhookNotFound()
  return webhook
}

/** A changed endpoint gets no event that was written while it was disabled or not subscribed, however late the event is published. */
const changedSubscriptions = async (
  db: Trx,
  { status, events }: WebhookChanges,
  current: queries.Webhook
): Promise<Pick<queries.WebhookChanges, 'subscriptions'>> => {
  const isEnabling = status === 'enabled' && current.status === 'disabled'
  if (events === undefined && !isEnabling) return {}
  const lastPosition = await queries.lastEventPosition(db)
  if (isEnabling) return { subscriptions: subscribe(events ?? current.events, lastPosition) }
  const subscriptions = await queries.readSubscriptions(db, current.id)
  return { subscriptions: changeSubscriptions(subscriptions, events ?? current.events, lastPosition) }
}

const changesOf = ({ status, ...fields }: WebhookChanges, current: queries.Webhook): queries.WebhookChanges => ({
  ...fields,
  ...(fields.url === undefined ? {} : { failingSince: null }),
  ...(status === 'enabled' ? { status, disabledReason: null, failingSince: null } : {}),
  ...(status === 'disabled' && current.status === 'enabled' ? { status, disabledReason: 'requested' as const } : {})
})

type Dependencies = Pick<FastifyInstance, 'clock' | 'config' | 'cursors' | 'secrets'>

export const endpointHandlers = ({ clock, config, cursors, secrets }: Dependencies): Handlers<EndpointOperations> => {
  const allowed = {
    http: config.webhookAllowPrivate || config.environment !== 'production',
    private: config.webhookAllowPrivate
  }
  const requireValidUrl = (url: string): void => {
    const fault = endpointUrlFault(url, allowed)
    if (fault !== undefined) throw invalidFields([{ path: 'body/url', message: fault }])
  }
  return {
    async listWebhooks({ db, caller, query: { limit = 100, cursor, environment } }) {
      const after = readTimePosition(cursors, 'webhooks', cursor)
      const found = await queries.listWebhooks(db, viewOfList(caller, environment), after, limit + 1)
      const { rows, nextCursor } = pageByTime(cursors, 'webhooks', found, limit)
      return { items: rows.map(toWebhook), nextCursor }
    },

    async createWebhook({ db, caller, body: { url, events, description = null, environment: wanted } }) {
      const { partnerId } = caller
      const environment = environmentOfNew(caller, wanted)
      requireValidUrl(url)
      if ((await queries.countWebhooks(db, partnerId)) >= quotas.webhooks.limit)
        throw webhookLimitReached(quotas.webhooks.limit)
      const id = newId('whk')
      const secret = newWebhookSecret()
      const encrypted = encryptSecret(secrets, id, secret)
      const subscriptions = subscribe(events, await queries.lastEventPosition(db))
      const subscribed = { url, events, description, subscriptions }
      const fields = { id, partnerId, environment, ...subscribed, secret: encrypted, createdAt: clock.now() }
      return { ...toWebhook(await queries.insertWebhook(db, fields)), secret }
    },

    async getWebhook({ db, caller, params }) {
      const webhook = await queries.findWebhook(db, caller, params.id)
      if (webhook === undefined) throw webhookNotFound()
      return toWebhook(webhook)
    },

    async updateWebhook({ db, caller, params, headers, body }) {
      const webhook = await lockWebhook(db, caller, params.id)
      requireVersion(headers['if-match'], webhook.version)
      if (body.url !== undefined) requireValidUrl(body.url)
      if (body.status === 'disabled') await queries.failPendingDeliveries(db, webhook.id, clock.now())
      const changes = { ...changesOf(body, webhook), ...(await changedSubscriptions(db, body, webhook)) }
      return toWebhook(await queries.updateWebhook(db, webhook.id, changes))
    },

    async deleteWebhook({ db, caller, params, headers }) {
      const webhook = await lockWebhook(db, caller, params.id)
      requireVersion(headers['if-match'], webhook.version)
      await queries.deleteWebhook(db, webhook.id)
      return null
    },

    async rotateWebhookSecret({ db, caller, params }) {
      const { id } = await lockWebhook(db, caller, params.id)
      const now = clock.now()
      const expiries = await queries.oldSecretExpiries(db, id, now)
      if (expiries[0] !== undefined && expiries.length >= maxRotations) throw rotationLimitReached(expiries[0])
      const secret = newWebhookSecret()
      const oldExpiresAt = new Date(now.getTime() + rotationOverlapMs)
      const webhook = await queries.replaceSecret(db, id, encryptSecret(secrets, id, secret), oldExpiresAt, now)
      return { ...toWebhook(webhook), secret }
    }
  }
}
