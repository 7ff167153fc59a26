import { createHash, randomUUID } from 'node:crypto'
import type { Selectable } from 'kysely'
import {
  invalidAccessToken,
  invalidAccountId,
  invalidInstitution,
  invalidPublicToken,
  itemLoginRequired,
  itemNotFound
} from './errors.ts'
import { accountsOf } from './accounts.ts'
import { behavioursOf, momentOf } from './customers.ts'
import { updateIntervalMs } from './history/days.ts'
import { findInstitution } from './institutions.ts'
import {
  findItemByAccessToken,
  findItemByPublicToken,
  insertItem,
  insertMigratedItem,
  insertPublicToken
} from './queries.ts'
import { randomId } from './random.ts'
import type { Simulation } from './simulation.ts'
import type { ItemsTable } from './tables.ts'
import type { Webhook } from './webhooks.ts'

export type Item = Selectable<ItemsTable>

/** A new item, from Link or from the sandbox's shortcut. */
export interface NewItem {
  institutionId: string
  clientUserId: string | null
  webhook: string | null
  products: string[]
  daysRequested: number | null
  username?: string | null
}

const blank = {
  institution_id: null,
  client_user_id: null,
  webhook: null,
  days_requested: null,
  username: null,
  shares_all_at: null,
  revoked_key: null,
  exchanged_at: null,
  login_required_at: null,
  removed_at: null,
  last_webhook_code: null,
  last_webhook_at: null,
  migrated_fingerprint: null,
  migrated_mask: null,
  migrated_subtype: null
}

/** Creates an item, and a public token for its access token. */
export const linkItem = async (
  { db }: Simulation,
  wanted: NewItem,
  now: Date
): Promise<{ item: Item; publicToken: string }> => {
  if (findInstitution(wanted.institutionId) === undefined) throw invalidInstitution()
  const item = await insertItem(db, {
    ...blank,
    item_id: randomId(),
    access_token: `access-sandbox-${randomUUID()}`,
    institution_id: wanted.institutionId,
    client_user_id: wanted.clientUserId,
    webhook: wanted.webhook,
    products: JSON.stringify([...new Set(wanted.products)]),
    days_requested: wanted.daysRequested,
    username: wanted.username ?? null,
    created_at: now
  })
  return { item, publicToken: await issuePublicToken(db, item.item_id, now) }
}

export const issuePublicToken = async (db: Simulation['db'], itemId: string, now: Date): Promise<string> => {
  const token = `public-sandbox-${randomUUID()}`
  await insertPublicToken(db, token, itemId, now)
  return token
}

/** Creates an item for an account that is known by its numbers only. */
export const migrateAccount = async (
  { db }: Simulation,
  account: { routing: string; number: string; subtype: 'checking' | 'savings' },
  now: Date
): Promise<Item> =>
  await insertMigratedItem(db, {
    ...blank,
    item_id: randomId(),
    access_token: `access-sandbox-${randomUUID()}`,
    products: JSON.stringify(['transfer']),
    created_at: now,
    exchanged_at: now,
    migrated_fingerprint: createHash('sha256')
      .update(`${account.routing}|${account.number}|${account.subtype}`)
      .digest('hex'),
    migrated_mask: account.number.slice(-4),
    migrated_subtype: account.subtype
  })

/**
 * The item of a public token. A token can be exchanged again until it expires, so that a caller that crashed between the
 * exchange and its own commit gets the same access token.
 *
 * @throws PlaidApiError INVALID_PUBLIC_TOKEN
 */
export const redeemPublicToken = async ({ db }: Simulation, token: string, now: Date): Promise<Item> => {
  const item = await findItemByPublicToken(db, token)
  if (item === undefined || item.removed_at !== null) {
    throw invalidPublicToken(
      token.startsWith('public-sandbox-')
        ? 'could not find matching public token'
        : 'provided public token is in an invalid format. expected format: public-<environment>-<identifier>'
    )
  }
  if (item.expires_at <= now)
    throw invalidPublicToken('provided public token is expired: public tokens live for 30 minutes')
  return item
}

/** @throws PlaidApiError INVALID_ACCESS_TOKEN, or ITEM_NOT_FOUND when the item was removed */
export const requireItem = async ({ db }: Simulation, accessToken: string): Promise<Item> => {
  const item = await findItemByAccessToken(db, accessToken)
  if (item === undefined) throw invalidAccessToken()
  if (item.removed_at !== null) throw itemNotFound()
  return item
}

/** @throws PlaidApiError as `requireItem`, or ITEM_LOGIN_REQUIRED */
export const requireHealthyItem = async (simulation: Simulation, accessToken: string): Promise<Item> => {
  const item = await requireItem(simulation, accessToken)
  if (item.login_required_at !== null) throw itemLoginRequired()
  return item
}

/** The accounts with these ids; all accounts without ids. @throws PlaidApiError INVALID_ACCOUNT_ID */
export const selectAccounts = (item: Item, accountIds: string[] | undefined, now: Date) => {
  const accounts = accountsOf(item, now)
  if (accountIds === undefined) return accounts
  const wanted = accounts.filter((account) => accountIds.includes(account.account_id))
  if (wanted.length !== new Set(accountIds).size) throw invalidAccountId()
  return wanted
}

const itemError = (item: Item) => (item.login_required_at === null ? null : itemLoginRequired().body())

/** When the end-user's consent expires, at a bank where it does. */
export const consentEndOf = (item: Item, now: Date): number | undefined => {
  const ends = behavioursOf(item).flatMap((behaviour) => behaviour.consentEndsAt?.(momentOf(item, now)) ?? [])
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** The item object of Plaid's responses. */
export const itemBody = (item: Item, now: Date) => {
  const consentEndsAt = consentEndOf(item, now)
  const institution = findInstitution(item.institution_id)
  return {
    item_id: item.item_id,
    institution_id: item.institution_id,
    institution_name: institution?.name ?? null,
    webhook: item.webhook,
    auth_method:
      item.migrated_mask !== null ? 'TRANSFER_MIGRATED' : item.products.includes('auth') ? 'INSTANT_AUTH' : null,
    error: itemError(item),
    available_products: (institution?.products ?? []).filter((product) => !item.products.includes(product)),
    billed_products: item.products,
    products: item.products,
    consented_products: item.products,
    // At most banks, consent does not expire. Unlike Plaid's, items do not require a login after 30 days, because a demonstration must not
    // break after a month.
    consent_expiration_time: consentEndsAt === undefined ? null : new Date(consentEndsAt).toISOString(),
    update_type: 'background'
  }
}

/** When Plaid last got data from the bank; unruly banks give it four times a day. */
const lastUpdateOf = (item: Item, now: Date): number => {
  const at = now.getTime()
  if (behavioursOf(item).length === 0) return at
  return Math.max(item.created_at.getTime(), Math.floor(at / updateIntervalMs) * updateIntervalMs)
}

/** The status object of /item/get. */
export const itemStatus = (item: Item, now: Date) => ({
  transactions:
    item.login_required_at === null
      ? { last_successful_update: new Date(lastUpdateOf(item, now)).toISOString(), last_failed_update: null }
      : {
          last_successful_update: item.login_required_at.toISOString(),
          last_failed_update: item.login_required_at.toISOString()
        },
  last_webhook:
    item.last_webhook_at === null || item.last_webhook_code === null
      ? null
      : { sent_at: item.last_webhook_at.toISOString(), code_sent: item.last_webhook_code }
})

/** A webhook of this item; none when the item has no webhook URL. */
export const itemWebhook = (
  item: Item,
  type: string,
  code: string,
  fields: Record<string, unknown> = {}
): Webhook[] => {
  if (item.webhook === null) return []
  return [
    {
      url: item.webhook,
      itemId: item.item_id,
      body: { webhook_type: type, webhook_code: code, item_id: item.item_id, ...fields }
    }
  ]
}

export const syncUpdatesAvailable = (item: Item): Webhook[] =>
  itemWebhook(item, 'TRANSACTIONS', 'SYNC_UPDATES_AVAILABLE', {
    initial_update_complete: true,
    historical_update_complete: true
  })

export const loginRequiredWebhook = (item: Item): Webhook[] =>
  itemWebhook(item, 'ITEM', 'ERROR', { error: itemLoginRequired().body() })
