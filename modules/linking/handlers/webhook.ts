import type { FastifyInstance } from 'fastify'
import { addressKey, addressOf } from '../../../plugins/access/addresses.ts'
import type { Environment } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { PlaidWebhook } from '../../../plugins/plaid/index.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { accessEndOf } from '../access-end.ts'
import { invalidWebhookSignature } from '../errors.ts'
import { statusOfCode, updateItemStatus } from '../item-status.ts'
import { closeAccount } from '../queries/accounts.ts'
import { findItemOfWebhook, noteNewAccounts, setAccessEnd, type Item } from '../queries/items.ts'
import { requestSync } from '../queries/syncs.ts'

type Dependencies = Pick<FastifyInstance, 'clock' | 'outbox' | 'plaid'>

/** Codes of changed transactions; the other codes of this type repeat one of these. */
const transactionChanges = new Set([
  'SYNC_UPDATES_AVAILABLE',
  'INITIAL_UPDATE',
  'HISTORICAL_UPDATE',
  'DEFAULT_UPDATE',
  'TRANSACTIONS_REMOVED'
])

/** Codes after which the item works until a deadline for the end-user passes. */
const warnings = new Set(['PENDING_EXPIRATION', 'PENDING_DISCONNECT'])

const errorCodeOf = (webhook: PlaidWebhook): string | undefined => {
  const { error } = webhook
  const code = typeof error === 'object' && error !== null && 'error_code' in error ? error.error_code : undefined
  return typeof code === 'string' ? code : undefined
}

const handleItemWebhook = async (app: Dependencies, trx: Trx, item: Item, webhook: PlaidWebhook): Promise<void> => {
  const code = webhook.webhook_code
  if (code === 'ERROR') {
    const errorCode = errorCodeOf(webhook) ?? 'UNKNOWN'
    await updateItemStatus(app, trx, item.id, statusOfCode(errorCode), errorCode)
  } else if (warnings.has(code)) {
    await setAccessEnd(trx, item.id, accessEndOf(webhook.consent_expiration_time ?? webhook.disconnect_time))
    if (item.status === 'ok') await updateItemStatus(app, trx, item.id, 'ok', code)
  } else if (code === 'USER_PERMISSION_REVOKED') {
    await updateItemStatus(app, trx, item.id, 'error', code)
  } else if (code === 'USER_ACCOUNT_REVOKED') {
    if (typeof webhook.account_id === 'string') await closeAccount(trx, item.id, webhook.account_id, app.clock.now())
  } else if (code === 'NEW_ACCOUNTS_AVAILABLE') {
    await noteNewAccounts(trx, item.id)
  } else if (code === 'LOGIN_REPAIRED') {
    await updateItemStatus(app, trx, item.id, 'ok', null)
    await setAccessEnd(trx, item.id, null)
    await requestSync(trx, [item.id])
  }
}

const handleWebhook = async (
  app: Dependencies,
  trx: Trx,
  webhook: PlaidWebhook,
  environments: Environment[]
): Promise<void> => {
  const { webhook_type: type, item_id: plaidItemId } = webhook
  const item = typeof plaidItemId === 'string' ? await findItemOfWebhook(trx, plaidItemId, environments) : undefined
  if (item !== undefined && type === 'ITEM') await handleItemWebhook(app, trx, item, webhook)
  if (item !== undefined && type === 'TRANSACTIONS' && transactionChanges.has(webhook.webhook_code))
    await requestSync(trx, [item.id])
  for (const handle of app.plaid.webhookHandlers(type)) await handle(trx, webhook, environments)
}

export const webhookHandlers = (app: Dependencies): Handlers<Pick<typeof operations, 'receivePlaidWebhook'>> => ({
  async receivePlaidWebhook({ body, request }) {
    const token = request.headers['plaid-verification']
    const environments = await app.plaid.verifyWebhook(
      typeof token === 'string' ? token : undefined,
      request.rawBody ?? Buffer.alloc(0),
      addressKey(addressOf(request))
    )
    if (environments.length === 0) throw invalidWebhookSignature()
    return async (trx) => {
      await handleWebhook(app, trx, body, environments)
      return { received: true }
    }
  }
})
