import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { newId } from '../../../plugins/ids.ts'
import { requireVersion } from '../../../plugins/http/if-match.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { WebhookChanges, operations } from '../../../spec/generated/webhooks.ts'
import { toWebhook } from '../answers.ts'
import { fieldRefused, webhookLimitReached } from '../errors.ts'
import { rotationOverlapMs } from '../ladder.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import * as queries from '../queries/endpoints.ts'
import { newWebhookSecret, sealSecret } from '../secrets.ts'
import { whyNotATarget } from '../targets.ts'

const mostEndpointsOfAPartner = 50

type EndpointOperations = Pick<
  typeof operations,
  'listWebhooks' | 'createWebhook' | 'getWebhook' | 'updateWebhook' | 'deleteWebhook' | 'rotateWebhookSecret'
>

const locked = async (db: Trx, partnerId: string, id: string): Promise<queries.WebhookRow> => {
  const row = await queries.lockWebhook(db, partnerId, id)
  if (row === undefined) throw notFound('There is no such webhook.')
  return row
}

const changesOf = (body: WebhookChanges, row: queries.WebhookRow) => ({
  ...(body.url === undefined ? {} : { url: body.url, failing_since: null }),
  ...(body.events === undefined ? {} : { events: body.events }),
  ...(body.description === undefined ? {} : { description: body.description }),
  ...(body.status === 'enabled' ? { status: body.status, disabled_reason: null, failing_since: null } : {}),
  ...(body.status === 'disabled' && row.status === 'enabled'
    ? { status: body.status, disabled_reason: 'requested' as const }
    : {})
})

export const endpointHandlers = ({
  clock,
  config,
  cursors,
  secrets
}: FastifyInstance): Handlers<EndpointOperations> => {
  const rules = {
    http: config.webhookAllowPrivate || config.environment !== 'production',
    private: config.webhookAllowPrivate
  }
  const requireTarget = (url: string): void => {
    const refusal = whyNotATarget(url, rules)
    if (refusal !== undefined) throw fieldRefused('body/url', refusal)
  }
  return {
    async listWebhooks({ db, caller, query: { limit = 100, cursor } }) {
      const found = await queries.listWebhooks(
        db,
        caller.partnerId,
        readTimePosition(cursors, 'webhooks', cursor),
        limit + 1
      )
      const { rows, nextCursor } = pageByTime(cursors, 'webhooks', found, limit)
      return { items: rows.map(toWebhook), nextCursor }
    },

    async createWebhook({ db, caller: { partnerId }, body: { url, events, description = null } }) {
      requireTarget(url)
      if ((await queries.countWebhooks(db, partnerId)) >= mostEndpointsOfAPartner) {
        throw webhookLimitReached(
          `This partner has ${mostEndpointsOfAPartner} endpoints. Delete one that is not needed any more.`
        )
      }
      const id = newId('whk')
      const secret = newWebhookSecret()
      const sealed = sealSecret(secrets, id, secret)
      const row = await queries.insertWebhook(db, {
        id,
        partner_id: partnerId,
        url,
        events,
        description,
        secret: sealed,
        created_at: clock.now()
      })
      return { ...toWebhook(row), secret }
    },

    async getWebhook({ db, caller, params }) {
      const row = await queries.findWebhook(db, caller.partnerId, params.id)
      if (row === undefined) throw notFound('There is no such webhook.')
      return toWebhook(row)
    },

    async updateWebhook({ db, caller, params, headers, body }) {
      const row = await locked(db, caller.partnerId, params.id)
      requireVersion(headers['if-match'], row.version)
      if (body.url !== undefined) requireTarget(body.url)
      if (body.status === 'disabled') await queries.giveUpPending(db, row.id, clock.now())
      return toWebhook(await queries.changeWebhook(db, row.id, changesOf(body, row)))
    },

    async deleteWebhook({ db, caller, params, headers }) {
      const row = await locked(db, caller.partnerId, params.id)
      requireVersion(headers['if-match'], row.version)
      await queries.deleteWebhook(db, row.id)
      return null
    },

    async rotateWebhookSecret({ db, caller, params }) {
      const { id } = await locked(db, caller.partnerId, params.id)
      const secret = newWebhookSecret()
      const row = await queries.replaceSecret(
        db,
        id,
        sealSecret(secrets, id, secret),
        new Date(clock.now().getTime() + rotationOverlapMs)
      )
      return { ...toWebhook(row), secret }
    }
  }
}
