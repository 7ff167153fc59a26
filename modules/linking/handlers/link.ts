import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Products, type AccountsGetResponse, type CountryCode, type LinkTokenCreateRequest } from 'plaid'
import type { Environment } from '../../../plugins/access/caller.ts'
import { hashSecret } from '../../../plugins/access/secrets.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { isPlaidFailure } from '../../../plugins/plaid/index.ts'
import { requireQuota, requireRoom } from '../../../plugins/quotas.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { recordUsage } from '../../ingest/index.ts'
import { decryptAccessToken, encryptAccessToken } from '../access-token.ts'
import { accessEndOf } from '../access-end.ts'
import { logQuarantined } from '../apply-changes.ts'
import { toListing } from '../changes.ts'
import { invalidPublicToken, itemNotFound, itemOfAnotherUser } from '../errors.ts'
import { orPlaidRefused } from '../plaid-refusal.ts'
import { listAccountsOf, saveAccounts } from '../queries/accounts.ts'
import { lockItemsOf } from '../queries/duplicates.ts'
import * as items from '../queries/items.ts'
import { keepAside } from '../queries/quarantine.ts'
import { requestSync } from '../queries/syncs.ts'
import { settleDuplicates } from '../settle-duplicates.ts'
import type { LinkingDependencies } from '../sync.ts'
import { toInstitution, toLinkedAccount } from '../wire.ts'

const maxClientNameLength = 30

interface LinkRequest {
  partnerId: string
  environment: Environment
  userId: string
  institution: { institution_id?: string | undefined; name?: string | undefined } | undefined
}

interface Grant {
  accessToken: string
  plaidItemId: string
  response: AccountsGetResponse
}

const requireSameUser = (item: items.Item, userId: string): void => {
  if (item.userId !== userId) throw itemOfAnotherUser()
}

const exchange = async (
  { plaid }: Pick<FastifyInstance, 'plaid'>,
  environment: Environment,
  publicToken: string
): Promise<Grant> => {
  const client = plaid.in(environment)
  try {
    // Safe to repeat when the response was lost: Plaid returns the same item or an error.
    const { access_token, item_id } = await client.call(
      (api) => api.itemPublicTokenExchange({ public_token: publicToken }),
      { repeatable: true }
    )
    const response = await client.call((api) => api.accountsGet({ access_token }), { repeatable: true })
    return { accessToken: access_token, plaidItemId: item_id, response }
  } catch (error) {
    if (isPlaidFailure(error, 'INVALID_PUBLIC_TOKEN', 'INVALID_FIELD', 'PUBLIC_TOKEN_ALREADY_EXCHANGED'))
      throw invalidPublicToken(error.members)
    throw error
  }
}

/** Counts a new item as usage and publishes its event. */
const announceItem = async (
  { outbox }: Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  item: items.Item,
  now: Date
): Promise<void> => {
  const { id, partnerId, environment, userId } = item
  const institution = item.institutionName ?? item.institutionId ?? undefined
  const eventId = `account_link:${id}`
  await recordUsage(trx, [{ partnerId, environment, type: 'account_link', userId, institution, eventId }], now)
  const data = { item_id: id, user_id: userId, institution: toInstitution(item) }
  await outbox.publish(trx, [{ partnerId, environment, type: 'account.linked', data }])
}

/** Stores the new access token of a known item. */
const renewItem = async (
  { secrets }: Pick<FastifyInstance, 'secrets'>,
  trx: Trx,
  { partnerId, environment, userId, institution }: LinkRequest,
  grant: Grant
): Promise<items.Item> => {
  const known = await items.lockItemByPlaidId(trx, grant.plaidItemId)
  // An item of another partner or environment does not exist for this caller, so its token is invalid too.
  if (known === undefined || known.partnerId !== partnerId || known.environment !== environment)
    throw invalidPublicToken()
  requireSameUser(known, userId)
  return await items.renewItem(trx, known.id, encryptAccessToken(secrets, known.id, grant.accessToken), {
    institutionId: institution?.institution_id,
    institutionName: institution?.name
  })
}

/** @throws ProblemError 422 `limit_reached` when a new item is one too many, or its end-user is. */
const requireQuotas = async (trx: Trx, item: items.Item): Promise<void> => {
  const { partnerId, environment, userId } = item
  await requireQuota(trx, 'items', `${partnerId} ${environment} ${userId}`, items.selectItemsOf(trx, item))
  if (environment === 'test')
    await requireQuota(
      trx,
      'test_end_users',
      partnerId,
      items.selectEndUsers(trx, { partnerId, environments: ['test'] })
    )
}

/** Stores a granted item, or the new access token of a known one. The caller's institution takes precedence over Plaid's. */
const storeItem = async (
  app: LinkingDependencies,
  trx: Trx,
  request: LinkRequest,
  grant: Grant
): Promise<items.Item> => {
  const { institution, ...owner } = request
  const id = newId('item')
  const now = app.clock.now()
  const linked = {
    ...owner,
    id,
    plaidItemId: grant.plaidItemId,
    institutionId: institution?.institution_id ?? grant.response.item.institution_id ?? null,
    institutionName: institution?.name ?? grant.response.item.institution_name ?? null,
    createdAt: now
  }
  const item = await items.insertItem(trx, linked, encryptAccessToken(app.secrets, id, grant.accessToken))
  if (item === undefined) return await renewItem(app, trx, request, grant)
  await requireQuotas(trx, item)
  await announceItem(app, trx, item, now)
  return item
}

const readLinked = async (trx: Trx, item: items.Item) => {
  const accounts = await listAccountsOf(trx, [item.id])
  const duplicateOf = accounts.some((account) => account.duplicateOf !== null)
    ? await items.readDuplicatedItem(trx, item.id)
    : null
  return {
    item_id: item.id,
    institution: toInstitution(item),
    accounts: accounts.filter(({ closedAt }) => closedAt === null).map(toLinkedAccount),
    ...(duplicateOf === null ? {} : { duplicate_of: duplicateOf })
  }
}

/** Stores a granted item with its accounts, and which of these the end-user has in another item. */
const storeGrant = async (app: LinkingDependencies, trx: Trx, request: LinkRequest, grant: Grant) => {
  const itemIds = await lockItemsOf(trx, request)
  const item = await storeItem(app, trx, request, grant)
  const now = app.clock.now()
  const listing = toListing(grant.response.accounts, { asOf: now, now })
  await saveAccounts(trx, item.id, listing, now)
  const accessEndsAt = accessEndOf(grant.response.item.consent_expiration_time)
  if (accessEndsAt !== null) await items.setAccessEnd(trx, item.id, accessEndsAt)
  logQuarantined(app, item.id, await keepAside(trx, item.id, listing.odd, now))
  if (itemIds.some((id) => id !== item.id)) await settleDuplicates(app, trx, item)
  await requestSync(trx, [item.id])
  return item
}

/** What Link asks for: transactions, and where the bank has it what transfers need; in update mode, more accounts. */
const productsOf = (
  app: LinkingDependencies,
  products: string[] | undefined,
  item: items.Item | undefined
): Partial<LinkTokenCreateRequest> => {
  if (item !== undefined)
    return {
      access_token: decryptAccessToken(app.secrets, item),
      update: { account_selection_enabled: true },
      ...(products === undefined ? {} : { additional_consented_products: products as Products[] })
    }
  return {
    ...(products === undefined
      ? { products: [Products.Transactions], required_if_supported_products: [Products.Auth] }
      : { products: products as Products[] }),
    transactions: { days_requested: app.plaid.historyDays }
  }
}

/** Plaid requires an id per end-user that reveals nothing about the person and is unique across partners. */
const clientUserIdOf = (partnerId: string, environment: string, userId: string): string =>
  createHash('sha256').update(`${partnerId}\n${environment}\n${userId}`).digest('base64url')

export const linkHandlers = (
  app: LinkingDependencies
): Handlers<Pick<typeof operations, 'createLinkToken' | 'linkAccounts'>> => ({
  async createLinkToken({ body, caller, db }) {
    const { plaid, database } = app
    // An existing item puts Link into update mode.
    const item = body.item_id === undefined ? undefined : await items.findItem(database.db, caller, body.item_id)
    if (body.item_id !== undefined && item === undefined) throw itemNotFound()
    const environment = item?.environment ?? caller.environment
    const webhook = plaid.webhookUrl(environment)
    const clientName = (await items.readPartnerName(db, caller.partnerId)).slice(0, maxClientNameLength)
    const request = {
      client_name: clientName === '' ? 'AtlasForge' : clientName,
      language: body.language ?? 'en',
      country_codes: (body.country_codes ?? ['US']) as CountryCode[],
      user: { client_user_id: clientUserIdOf(caller.partnerId, environment, item?.userId ?? body.user_id) },
      ...(webhook === undefined ? {} : { webhook }),
      ...(body.redirect_uri === undefined ? {} : { redirect_uri: body.redirect_uri }),
      ...productsOf(app, body.products, item)
    }
    const { link_token, expiration, request_id } = await orPlaidRefused(() =>
      plaid.in(environment).call((api) => api.linkTokenCreate(request), { repeatable: true })
    )
    return () => Promise.resolve({ link_token, expiration, request_id })
  },

  async linkAccounts({ body, caller: { partnerId, environment }, db }) {
    const { public_token: publicToken, user_id: userId, institution } = body
    const tokenHash = hashSecret(publicToken)
    const known = await items.findItemByPublicToken(db, partnerId, tokenHash)
    if (known !== undefined && known.environment === environment) {
      requireSameUser(known, userId)
      return (trx) => readLinked(trx, known)
    }
    await requireRoom(db, 'items', items.selectItemsOf(db, { partnerId, environment, userId }))
    const grant = await exchange(app, environment, publicToken)
    return async (trx) => {
      const item = await storeGrant(app, trx, { partnerId, environment, userId, institution }, grant)
      await items.insertPublicToken(trx, partnerId, tokenHash, item.id, app.clock.now())
      return await readLinked(trx, item)
    }
  }
})
