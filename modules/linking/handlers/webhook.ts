import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { PlaidWebhook } from '../../../plugins/plaid/index.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { invalidWebhookSignature } from '../errors.ts'
import { findItemOfWebhook, wantSync, type ItemRow } from '../queries/items.ts'
import { markItem, statusOfCode } from '../status.ts'

/** Codes that say that transactions have changed; the others of their type tell the same once more. */
const newTransactions = new Set(['SYNC_UPDATES_AVAILABLE', 'DEFAULT_UPDATE', 'TRANSACTIONS_REMOVED'])

/** Codes after which the item still works, until its end-user has let a deadline pass. */
const warnings = new Set(['PENDING_EXPIRATION', 'PENDING_DISCONNECT'])

const errorCodeOf = (webhook: PlaidWebhook): string | undefined => {
  const { error } = webhook
  const code = typeof error === 'object' && error !== null && 'error_code' in error ? error.error_code : undefined
  return typeof code === 'string' ? code : undefined
}

const takeItemWebhook = async (app: FastifyInstance, trx: Trx, item: ItemRow, webhook: PlaidWebhook): Promise<void> => {
  const code = webhook.webhook_code
  if (code === 'ERROR') {
    const errorCode = errorCodeOf(webhook) ?? 'UNKNOWN'
    await markItem(app, trx, item.id, statusOfCode(errorCode), errorCode)
  } else if (warnings.has(code)) {
    if (item.status === 'ok') await markItem(app, trx, item.id, 'ok', code)
  } else if (code === 'USER_PERMISSION_REVOKED') {
    await markItem(app, trx, item.id, 'error', code)
  } else if (code === 'LOGIN_REPAIRED') {
    await markItem(app, trx, item.id, 'ok', null)
    await wantSync(trx, [item.id])
  }
}

const takeWebhook = async (
  app: FastifyInstance,
  trx: Trx,
  webhook: PlaidWebhook,
  environments: Environment[]
): Promise<void> => {
  const { webhook_type: type, item_id: plaidItemId } = webhook
  const item = typeof plaidItemId === 'string' ? await findItemOfWebhook(trx, plaidItemId, environments) : undefined
  if (item !== undefined && type === 'ITEM') await takeItemWebhook(app, trx, item, webhook)
  if (item !== undefined && type === 'TRANSACTIONS' && newTransactions.has(webhook.webhook_code))
    await wantSync(trx, [item.id])
  for (const handle of app.plaid.webhookHandlers(type)) await handle(trx, webhook, environments)
}

export const webhookHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'receivePlaidWebhook'> => ({
  async receivePlaidWebhook({ body, request }) {
    const token = request.headers['plaid-verification']
    const environments = await app.plaid.verifyWebhook(
      typeof token === 'string' ? token : undefined,
      request.rawBody ?? Buffer.alloc(0)
    )
    if (environments.length === 0)
      throw invalidWebhookSignature("The webhook does not carry a valid signature of Plaid's.")
    return async (trx) => {
      await takeWebhook(app, trx, body, environments)
      return { received: true }
    }
  }
})
