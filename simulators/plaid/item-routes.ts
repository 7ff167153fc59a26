import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Account } from './account-templates.ts'
import { sentAccountsOf } from './accounts.ts'
import { behavioursOf, momentOf } from './customers.ts'
import { invalidField, invalidInstitution, invalidLinkToken, missingFields } from './errors.ts'
import { dayOf } from './history/days.ts'
import { historyDays } from './history/timeline.ts'
import { findInstitution, institutionBody } from './institutions.ts'
import {
  consentEndOf,
  itemBody,
  itemStatus,
  itemWebhook,
  linkItem,
  redeemPublicToken,
  requireHealthyItem,
  requireItem,
  selectAccounts,
  syncUpdatesAvailable
} from './items.ts'
import type { Item } from './items.ts'
import { findLinkToken, insertLinkToken, markExchanged, markRemoved } from './queries.ts'
import * as schemas from './schemas.ts'
import { registerEndpoint } from './simulation.ts'
import type { Simulation } from './simulation.ts'
import type { Webhook } from './webhooks.ts'

/** Link tokens expire after four hours, in update mode after half an hour, as Plaid documents. */
const linkTokenLifeMs = 4 * 3_600_000
const updateTokenLifeMs = 30 * 60_000

/** Registers Link, items, accounts, transactions and institutions. */
export const registerItemRoutes = (app: FastifyInstance, simulation: Simulation): void => {
  registerLinkTokens(app, simulation)
  registerExchange(app, simulation)
  registerReads(app, simulation)
}

const registerLinkTokens = (app: FastifyInstance, simulation: Simulation): void => {
  const { db } = simulation
  registerEndpoint(app, simulation, '/link/token/create', schemas.linkTokenCreate, async (body, { now }) => {
    const clientUserId = body.user?.client_user_id ?? body.user_id
    if (clientUserId === undefined) throw missingFields(['user'])
    const updateItemId = await updatedItemId(simulation, body)
    if (updateItemId === null && (body.products ?? []).length === 0) throw missingFields(['products'])
    const expiresAt = new Date(now.getTime() + (updateItemId === null ? linkTokenLifeMs : updateTokenLifeMs))
    const token = `link-sandbox-${randomUUID()}`
    await insertLinkToken(db, {
      link_token: token,
      created_at: now,
      expires_at: expiresAt,
      update_item_id: updateItemId,
      request: JSON.stringify({
        client_name: body.client_name,
        language: body.language,
        country_codes: body.country_codes,
        products: [...(body.products ?? []), ...(body.required_if_supported_products ?? [])],
        webhook: body.webhook ?? null,
        redirect_uri: body.redirect_uri ?? null,
        client_user_id: clientUserId,
        account_selection: body.update?.account_selection_enabled ?? false,
        days_requested: body.transactions?.days_requested ?? null
      })
    })
    return { link_token: token, expiration: expiresAt.toISOString() }
  })

  registerEndpoint(app, simulation, '/link/token/get', schemas.linkTokenGet, async (body) => {
    const row = await findLinkToken(db, body.link_token)
    if (row === undefined) throw invalidLinkToken()
    const { request } = row
    return {
      link_token: row.link_token,
      created_at: row.created_at.toISOString(),
      expiration: row.expires_at.toISOString(),
      metadata: {
        initial_products: request.products,
        webhook: request.webhook,
        country_codes: request.country_codes,
        language: request.language,
        redirect_uri: request.redirect_uri,
        client_name: request.client_name
      }
    }
  })
}

/** The item that a link token in update mode repairs, named by its access token or by a transfer authorization. */
const updatedItemId = async (
  simulation: Simulation,
  body: { access_token?: string | null; transfer?: { authorization_id?: string } }
): Promise<string | null> => {
  if (body.access_token !== undefined && body.access_token !== null)
    return (await requireItem(simulation, body.access_token)).item_id
  if (body.transfer?.authorization_id === undefined) return null
  const authorization = await simulation.db
    .selectFrom('simulators.plaid_authorizations')
    .select('item_id')
    .where('authorization_id', '=', body.transfer.authorization_id)
    .executeTakeFirst()
  if (authorization === undefined) throw invalidField('transfer.authorization_id is unknown')
  return authorization.item_id
}

/** The length of an item's history in days. start_date is the sandbox's older parameter. */
const daysRequested = (
  transactions: { start_date?: string; days_requested?: number } | null | undefined,
  now: Date
): number | null => {
  if (transactions?.days_requested !== undefined) return transactions.days_requested
  if (transactions?.start_date === undefined) return null
  const start = Date.parse(transactions.start_date)
  if (Number.isNaN(start)) throw invalidField('options.transactions.start_date must be a date (YYYY-MM-DD)')
  return Math.min(historyDays, Math.max(1, dayOf(now.getTime()) - dayOf(start)))
}

const pendingExpiration = (item: Item, now: Date): Webhook[] =>
  itemWebhook(item, 'ITEM', 'PENDING_EXPIRATION', {
    consent_expiration_time: new Date(consentEndOf(item, now) ?? 0).toISOString()
  })

/** The webhooks for a new item and its transactions, which are available immediately at most banks. */
const firstWebhooks = async (simulation: Simulation, item: Item, now: Date): Promise<Webhook[]> => {
  if (item.webhook === null) return []
  const warnings = [
    ...(consentEndOf(item, now) === undefined ? [] : pendingExpiration(item, now)),
    ...(behavioursOf(item).some(({ offersMoreAccounts }) => offersMoreAccounts)
      ? itemWebhook(item, 'ITEM', 'NEW_ACCOUNTS_AVAILABLE', { error: null })
      : [])
  ]
  // A bank that is slow has nothing to tell of yet.
  const isSlow = behavioursOf(item).some(({ updateStatus }) => updateStatus !== undefined)
  if (isSlow || !item.products.includes('transactions')) return warnings
  const { initial, historical } = await simulation.feed.count(item, now)
  return [
    ...warnings,
    ...itemWebhook(item, 'TRANSACTIONS', 'INITIAL_UPDATE', { error: null, new_transactions: initial }),
    ...itemWebhook(item, 'TRANSACTIONS', 'HISTORICAL_UPDATE', { error: null, new_transactions: historical }),
    ...syncUpdatesAvailable(item)
  ]
}

const registerExchange = (app: FastifyInstance, simulation: Simulation): void => {
  const { db } = simulation
  registerEndpoint(
    app,
    simulation,
    '/sandbox/public_token/create',
    schemas.publicTokenCreate,
    async (body, { now }) => {
      const { publicToken } = await linkItem(
        simulation,
        {
          institutionId: body.institution_id,
          clientUserId: null,
          webhook: body.options?.webhook ?? null,
          products: body.initial_products,
          // Plaid's default is 90 days; the simulator's is its whole history.
          daysRequested: daysRequested(body.options?.transactions, now),
          username: body.options?.override_username ?? null
        },
        now
      )
      return { public_token: publicToken }
    }
  )

  registerEndpoint(app, simulation, '/item/public_token/exchange', schemas.publicTokenExchange, async (body, call) => {
    const item = await redeemPublicToken(simulation, body.public_token, call.now)
    if (await markExchanged(db, item.item_id, call.now))
      call.webhooks.push(...(await firstWebhooks(simulation, item, call.now)))
    return { access_token: item.access_token, item_id: item.item_id }
  })

  registerEndpoint(app, simulation, '/item/remove', schemas.itemRemove, async (body, { now }) => {
    const item = await requireItem(simulation, body.access_token)
    await markRemoved(db, item.item_id, now)
    return {}
  })
}

/** @throws PlaidApiError when the bank gives no current balance of these accounts */
const requireLiveBalance = (item: Item, accounts: Account[], minLastUpdated: string | undefined, now: Date): void => {
  for (const behaviour of behavioursOf(item)) {
    const error = behaviour.balanceError?.(accounts, minLastUpdated, momentOf(item, now))
    if (error !== undefined) throw error
  }
}

const registerReads = (app: FastifyInstance, simulation: Simulation): void => {
  registerEndpoint(app, simulation, '/item/get', schemas.itemGet, async (body, { now }) => {
    const item = await requireItem(simulation, body.access_token)
    return {
      item: { ...itemBody(item, now), created_at: item.created_at.toISOString() },
      status: itemStatus(item, now)
    }
  })

  // Balances are fixed, so both endpoints return the same ones.
  for (const path of ['/accounts/get', '/accounts/balance/get']) {
    registerEndpoint(app, simulation, path, schemas.accountsGet, async (body, { now }) => {
      const item = await requireHealthyItem(simulation, body.access_token)
      const accounts = selectAccounts(item, body.options?.account_ids, now)
      if (path === '/accounts/balance/get')
        requireLiveBalance(item, accounts, body.options?.min_last_updated_datetime, now)
      return { accounts: sentAccountsOf(item, accounts, now), item: itemBody(item, now) }
    })
  }

  registerEndpoint(
    app,
    simulation,
    '/transactions/sync',
    schemas.transactionsSync,
    async (body, { now }) =>
      await simulation.feed.page(await requireHealthyItem(simulation, body.access_token), body, now)
  )

  registerEndpoint(app, simulation, '/institutions/get_by_id', schemas.institutionsGetById, async (body, { now }) => {
    const institution = findInstitution(body.institution_id)
    if (institution === undefined || !institution.country_codes.some((code) => body.country_codes.includes(code)))
      throw invalidInstitution()
    return { institution: institutionBody(institution, body.options ?? {}, now) }
  })
}
