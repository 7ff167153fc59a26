import type { FastifyInstance } from 'fastify'
import { Products, type SandboxItemFireWebhookRequestWebhookCodeEnum } from 'plaid'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { decryptAccessToken } from '../access-token.ts'
import { itemNotFound } from '../errors.ts'
import { updateItemStatus } from '../item-status.ts'
import { orPlaidRefused } from '../plaid-refusal.ts'
import { findItem } from '../queries/items.ts'

const firstPlatypusBank = 'ins_109508'

type Dependencies = Pick<FastifyInstance, 'database' | 'outbox' | 'plaid' | 'secrets'>

/** Reads the access token of a test item of the caller. Sessions also see live items, which sandbox operations must not touch. */
const readTestToken = async (app: Dependencies, partnerId: string, id: string): Promise<string> => {
  const item = await findItem(app.database.db, { partnerId, environments: ['test'] }, id)
  if (item === undefined) throw itemNotFound()
  return decryptAccessToken(app.secrets, item)
}

export const sandboxHandlers = (
  app: Dependencies
): Pick<Handlers<typeof operations>, 'createSandboxPublicToken' | 'resetSandboxLogin' | 'fireSandboxWebhook'> => ({
  async createSandboxPublicToken({ body }) {
    const webhook = app.plaid.webhookUrl('test')
    const request = {
      institution_id: body?.institution_id ?? firstPlatypusBank,
      initial_products: [Products.Transactions, Products.Auth],
      options: {
        ...(webhook === undefined ? {} : { webhook }),
        ...(body?.username === undefined ? {} : { override_username: body.username }),
        transactions: { days_requested: app.plaid.historyDays }
      }
    }
    // Safe to repeat when the response was lost: an additional token is harmless.
    const { public_token } = await orPlaidRefused(() =>
      app.plaid.in('test').call((api) => api.sandboxPublicTokenCreate(request), { repeatable: true })
    )
    return () => Promise.resolve({ public_token })
  },

  async resetSandboxLogin({ params, caller }) {
    const accessToken = await readTestToken(app, caller.partnerId, params.item_id)
    await orPlaidRefused(() =>
      app.plaid.in('test').call((api) => api.sandboxItemResetLogin({ access_token: accessToken }), { repeatable: true })
    )
    return async (trx) => {
      await updateItemStatus(app, trx, params.item_id, 'login_required', 'ITEM_LOGIN_REQUIRED')
      return { reset_login: true }
    }
  },

  async fireSandboxWebhook({ params, body, caller }) {
    const accessToken = await readTestToken(app, caller.partnerId, params.item_id)
    const webhook_code = body.webhook_code as SandboxItemFireWebhookRequestWebhookCodeEnum
    const { webhook_fired } = await orPlaidRefused(() =>
      app.plaid
        .in('test')
        .call((api) => api.sandboxItemFireWebhook({ access_token: accessToken, webhook_code }), { repeatable: false })
    )
    return () => Promise.resolve({ webhook_fired })
  }
})
