import type { FastifyInstance } from 'fastify'
import { Products, type SandboxItemFireWebhookRequestWebhookCodeEnum } from 'plaid'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { findItem, tokenContext, type ItemRow } from '../queries/items.ts'
import { refusedByPlaid } from '../refused.ts'
import { markItem } from '../status.ts'

const firstPlatypusBank = 'ins_109508'

/** A test item of the caller's; a session sees live ones too, and these are nothing to play with. */
const findTestItem = async (
  app: FastifyInstance,
  partnerId: string,
  id: string
): Promise<{ item: ItemRow; accessToken: string }> => {
  const item = await findItem(app.database.db, { partnerId, environments: ['test'] }, id)
  if (item === undefined) throw notFound('There is no such item.')
  return { item, accessToken: app.secrets.decrypt(item.access_token, tokenContext(item.id)) }
}

export const sandboxHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'createSandboxPublicToken' | 'resetSandboxLogin' | 'fireSandboxWebhook'> => ({
  async createSandboxPublicToken({ body }) {
    const webhook = app.plaid.webhookUrl('test')
    const request = {
      institution_id: body?.institution_id ?? firstPlatypusBank,
      initial_products: [Products.Transactions, Products.Auth],
      options: {
        ...(webhook === undefined ? {} : { webhook }),
        transactions: { days_requested: app.plaid.historyDays }
      }
    }
    // Another token does no harm, so one whose answer was lost may be made again.
    const { public_token } = await refusedByPlaid(() =>
      app.plaid.in('test').call((api) => api.sandboxPublicTokenCreate(request), { repeatable: true })
    )
    return () => Promise.resolve({ public_token })
  },

  async resetSandboxLogin({ params, caller }) {
    const { item, accessToken } = await findTestItem(app, caller.partnerId, params.item_id)
    await refusedByPlaid(() =>
      app.plaid.in('test').call((api) => api.sandboxItemResetLogin({ access_token: accessToken }), { repeatable: true })
    )
    return async (trx) => {
      await markItem(app, trx, item.id, 'login_required', 'ITEM_LOGIN_REQUIRED')
      return { reset_login: true }
    }
  },

  async fireSandboxWebhook({ params, body, caller }) {
    const { accessToken } = await findTestItem(app, caller.partnerId, params.item_id)
    const webhook_code = body.webhook_code as SandboxItemFireWebhookRequestWebhookCodeEnum
    const { webhook_fired } = await refusedByPlaid(() =>
      app.plaid
        .in('test')
        .call((api) => api.sandboxItemFireWebhook({ access_token: accessToken, webhook_code }), { repeatable: false })
    )
    return () => Promise.resolve({ webhook_fired })
  }
})
