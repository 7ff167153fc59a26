import type { FastifyInstance } from 'fastify'
import { illegalWebhookType, invalidLinkToken, itemNotFound, productNotEnabled, webhookNotSet } from './errors.ts'
import { faultKinds } from './faults.ts'
import { defaultInstitutionId } from './institutions.ts'
import {
  issuePublicToken,
  itemWebhook,
  linkItem,
  loginRequiredWebhook,
  requireItem,
  syncUpdatesAvailable
} from './items.ts'
import type { Item } from './items.ts'
import { findItem, findLinkToken, insertBatch, setLoginRequired, setRevoked, setSharesAll } from './queries.ts'
import * as schemas from './schemas.ts'
import { registerEndpoint } from './simulation.ts'
import type { Simulation } from './simulation.ts'
import { accountIdOf } from './ids.ts'
import { findVerificationKey } from './webhooks.ts'
import type { Webhook } from './webhooks.ts'

/** The account to which USER_ACCOUNT_REVOKED ends the access: the savings account. */
const revocableKey = '1111'

/** Registers Plaid's sandbox endpoints for items, its webhook keys, and the simulator's controls under /simulator. */
export const registerSandboxRoutes = (app: FastifyInstance, simulation: Simulation): void => {
  const { db } = simulation
  registerEndpoint(app, simulation, '/sandbox/item/fire_webhook', schemas.fireWebhook, async (body, call) => {
    const item = await requireItem(simulation, body.access_token)
    if (item.webhook === null) throw webhookNotSet()
    const webhooks = webhookOf(item, body.webhook_code, body.webhook_type, call.now)
    if (['SYNC_UPDATES_AVAILABLE', 'DEFAULT_UPDATE'].includes(body.webhook_code))
      await insertBatch(db, item.item_id, call.now)
    if (body.webhook_code === 'USER_ACCOUNT_REVOKED') await setRevoked(db, item.item_id, revocableKey)
    call.webhooks.push(...webhooks)
    return { webhook_fired: true }
  })

  registerEndpoint(app, simulation, '/sandbox/item/reset_login', schemas.itemGet, async (body, call) => {
    const item = await requireItem(simulation, body.access_token)
    if (item.login_required_at === null) {
      await setLoginRequired(db, item.item_id, call.now)
      call.webhooks.push(...loginRequiredWebhook(item))
    }
    return { reset_login: true }
  })

  registerEndpoint(
    app,
    simulation,
    '/webhook_verification_key/get',
    schemas.webhookVerificationKeyGet,
    async (body) => ({
      key: await findVerificationKey(db, body.key_id)
    })
  )

  registerControls(app, simulation)
}

/** The webhook of each code that the sandbox can fire. @throws PlaidApiError when the item has no such product */
const webhookOf = (item: Item, code: string, type: string | undefined, now: Date): Webhook[] => {
  const requireProduct = (product: string) => {
    if (!item.products.includes(product)) throw productNotEnabled(product)
  }
  switch (code) {
    case 'SYNC_UPDATES_AVAILABLE':
      requireProduct('transactions')
      return syncUpdatesAvailable(item)
    case 'DEFAULT_UPDATE':
      if (type !== undefined && type !== 'TRANSACTIONS') throw illegalWebhookType(code, type)
      requireProduct('transactions')
      return itemWebhook(item, 'TRANSACTIONS', code, { error: null, new_transactions: 3 })
    case 'RECURRING_TRANSACTIONS_UPDATE':
      requireProduct('transactions')
      return itemWebhook(item, 'TRANSACTIONS', code, { account_ids: [] })
    case 'PENDING_DISCONNECT':
      return itemWebhook(item, 'ITEM', code, {
        reason: 'INSTITUTION_MIGRATION',
        disconnect_time: new Date(now.getTime() + 7 * 86_400_000).toISOString()
      })
    case 'USER_ACCOUNT_REVOKED':
      return itemWebhook(item, 'ITEM', code, { account_id: accountIdOf(item.item_id, revocableKey) })
    case 'NEW_ACCOUNTS_AVAILABLE':
    case 'USER_PERMISSION_REVOKED':
      return itemWebhook(item, 'ITEM', code, { error: null })
    case 'LOGIN_REPAIRED':
      return itemWebhook(item, 'ITEM', code)
    // Other codes belong to products that the simulator does not have, such as assets and investments.
    default:
      throw productNotEnabled(type?.toLowerCase() ?? 'assets')
  }
}

/** @throws PlaidApiError ITEM_NOT_FOUND */
export const repairLogin = async ({ db }: Simulation, itemId: string): Promise<void> => {
  if (!(await setLoginRequired(db, itemId, null))) throw itemNotFound()
}

/** Controls for a person's actions in Link and for faults. Plaid has no such endpoints. */
const registerControls = (app: FastifyInstance, simulation: Simulation): void => {
  const { db } = simulation
  registerEndpoint(app, simulation, '/simulator/faults', schemas.controlFaults, async (body) => {
    simulation.faults.next(body.path, body.kind, body.times ?? 1, body.delay_ms)
    return { kinds: faultKinds }
  })

  registerEndpoint(app, simulation, '/simulator/items/repair_login', schemas.controlItem, async (body) => {
    await repairLogin(simulation, body.item_id)
    return {}
  })

  registerEndpoint(app, simulation, '/simulator/items/add_transactions', schemas.controlItem, async (body, call) => {
    const item = await findItem(db, body.item_id)
    if (item === undefined || item.removed_at !== null) throw itemNotFound()
    await insertBatch(db, item.item_id, call.now)
    call.webhooks.push(...syncUpdatesAvailable(item))
    return {}
  })

  registerEndpoint(
    app,
    simulation,
    '/simulator/link/complete',
    schemas.controlLinkComplete,
    async (body, { now }) => await completeLink(simulation, body.link_token, body.institution_id, now)
  )
}

/**
 * Completes Link as a person does: it creates an item, or in update mode repairs the token's item and shares accounts that the bank has added.
 *
 * @throws PlaidApiError INVALID_LINK_TOKEN
 */
export const completeLink = async (
  simulation: Simulation,
  linkToken: string,
  institutionId: string | undefined,
  now: Date
): Promise<{ public_token: string }> => {
  const { db } = simulation
  const token = await findLinkToken(db, linkToken)
  if (token === undefined || token.expires_at <= now) throw invalidLinkToken()
  if (token.update_item_id !== null) {
    await repairLogin(simulation, token.update_item_id)
    if (token.request.account_selection) await setSharesAll(db, token.update_item_id, now)
    return { public_token: await issuePublicToken(db, token.update_item_id, now) }
  }
  const { publicToken } = await linkItem(
    simulation,
    {
      institutionId: institutionId ?? defaultInstitutionId,
      clientUserId: token.request.client_user_id,
      webhook: token.request.webhook,
      products: token.request.products,
      daysRequested: token.request.days_requested
    },
    now
  )
  return { public_token: publicToken }
}
