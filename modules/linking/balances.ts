import type { AccountsBalanceGetRequestOptions } from 'plaid'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import { decryptAccessToken } from './access-token.ts'
import { logQuarantined } from './apply-changes.ts'
import { toListing, type Listing } from './changes.ts'
import { mapConcurrent } from './concurrency.ts'
import { recordItemFailure } from './item-status.ts'
import { listAccountsOf, saveAccounts, type Account } from './queries/accounts.ts'
import type { Item } from './queries/items.ts'
import { keepAside } from './queries/quarantine.ts'
import { settleDuplicatesOf } from './settle-duplicates.ts'
import type { LinkingDependencies } from './sync.ts'

const maxConcurrentItems = 4

export interface FreshAccount extends Account {
  /** The bank was unreachable, or returned no balance for this account. */
  stale: boolean
}

interface ItemAccess {
  itemId: string
  environment: Environment
  institutionId: string | null
  accessToken: string
}

/** The accounts of an item with balances. */
interface Balances extends Listing {
  /** Whether the bank gave the balances just now; otherwise they are Plaid's last ones. */
  isLive: boolean
}

/** Capital One, which gives current balances of deposit accounts only; the age of the others must be accepted in the request. */
const banksWithoutCurrentBalances: ReadonlySet<string | null> = new Set(['ins_128026'])
/** Codes after which Plaid gives no balances at all. */
const withoutAccess = ['ITEM_LOGIN_REQUIRED', 'INVALID_ACCESS_TOKEN', 'ITEM_NOT_FOUND']
const acceptedAgeMs = 30 * 86_400_000

const acceptingAge = (now: Date): AccountsBalanceGetRequestOptions => ({
  min_last_updated_datetime: `${new Date(now.getTime() - acceptedAgeMs).toISOString().slice(0, 19)}Z`
})

/** Reads balances from the bank, by its rule. Any bank may have the rule of Capital One. */
const readLive = async (
  { plaid, clock }: LinkingDependencies,
  { environment, institutionId, accessToken }: ItemAccess
): Promise<Balances> => {
  const now = clock.now()
  const read = async (options?: AccountsBalanceGetRequestOptions) =>
    await plaid
      .in(environment)
      .call((api) => api.accountsBalanceGet({ access_token: accessToken, ...(options && { options }) }), {
        repeatable: true,
        attempts: 2
      })
  const mustAcceptAge = banksWithoutCurrentBalances.has(institutionId)
  const { accounts } = await read(mustAcceptAge ? acceptingAge(now) : undefined).catch(async (error: unknown) => {
    if (mustAcceptAge || !isPlaidFailure(error, 'INVALID_FIELD')) throw error
    return await read(acceptingAge(now))
  })
  return { ...toListing(accounts, { asOf: now, now }), isLive: true }
}

/** When Plaid last got data of the item from its bank, as far as it knows. */
const readUpdateTime = async ({ plaid }: LinkingDependencies, access: ItemAccess): Promise<Date> => {
  const { status } = await plaid
    .in(access.environment)
    .call((api) => api.itemGet({ access_token: access.accessToken }), { repeatable: true, attempts: 2 })
  const ms = Date.parse(status?.transactions?.last_successful_update ?? '')
  return new Date(Number.isNaN(ms) ? 0 : ms)
}

/** Reads Plaid's last balances, with the time at which they were current. */
const readCached = async (app: LinkingDependencies, access: ItemAccess): Promise<Balances> => {
  const { accounts } = await app.plaid
    .in(access.environment)
    .call((api) => api.accountsGet({ access_token: access.accessToken }), { repeatable: true, attempts: 2 })
  const now = app.clock.now()
  const updatedAt = await readUpdateTime(app, access)
  return { ...toListing(accounts, { asOf: updatedAt < now ? updatedAt : now, now }), isLive: false }
}

/**
 * Fetches the balances of an item from its bank, or Plaid's last ones when the bank gives none; undefined, with the failure recorded on the item, when
 * that fails, too.
 */
export const fetchBalances = async (app: LinkingDependencies, access: ItemAccess): Promise<Balances | undefined> => {
  try {
    return await readLive(app, access).catch(async (error: unknown) => {
      if (!isPlaidFailure(error) || isPlaidFailure(error, ...withoutAccess)) throw error
      return await readCached(app, access)
    })
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    await recordItemFailure(app, access.itemId, error)
    return undefined
  }
}

/** Stores fetched balances, and keeps odd accounts aside. @returns all accounts of the item. */
export const storeBalances = async (
  app: LinkingDependencies,
  itemId: string,
  { accounts, odd, listedIds }: Listing
): Promise<Account[]> => {
  const now = app.clock.now()
  // Saving can wait for a lock on the item, which must not block a shared connection.
  const { stored, kept } = await transact(app.database.db, async (trx) => {
    const stored = await saveAccounts(trx, itemId, { accounts, listedIds }, now)
    return { stored, kept: await keepAside(trx, itemId, odd, now) }
  })
  logQuarantined(app, itemId, kept)
  return stored
}

const refresh = async (app: LinkingDependencies, item: Item): Promise<FreshAccount[]> => {
  const { id: itemId, environment, institutionId } = item
  const accessToken = decryptAccessToken(app.secrets, item)
  const fetched = await fetchBalances(app, { itemId, environment, institutionId, accessToken })
  if (fetched === undefined)
    return (await listAccountsOf(app.database.db, [itemId])).map((account) => ({ ...account, stale: true }))
  const fresh = new Set(fetched.isLive ? fetched.accounts.map((account) => account.plaidAccountId) : [])
  const stored = await storeBalances(app, itemId, fetched)
  return stored.map((account) => ({ ...account, stale: !fresh.has(account.plaidAccountId) }))
}

/** Refreshes in progress by item id, per server. */
const refreshesByServer = new WeakMap<object, Map<string, Promise<FreshAccount[]>>>()

/** Shares a refresh in progress among concurrent callers, because banks are slow and each call costs money. */
const refreshShared = (app: LinkingDependencies, item: Item): Promise<FreshAccount[]> => {
  const refreshes = refreshesByServer.get(app.plaid) ?? new Map<string, Promise<FreshAccount[]>>()
  refreshesByServer.set(app.plaid, refreshes)
  const running = refreshes.get(item.id)
  if (running !== undefined) return running
  const refreshing = refresh(app, item).finally(() => refreshes.delete(item.id))
  refreshes.set(item.id, refreshing)
  return refreshing
}

/** The end-users with several of these items; only such can have duplicates. */
const ownersOfSeveral = (items: Item[]): Item[] => {
  const keyOf = (item: Item) => `${item.environment} ${item.userId}`
  const several = items.filter((item, index) => items.findIndex((other) => keyOf(other) === keyOf(item)) !== index)
  return [...new Map(several.map((item) => [keyOf(item), item])).values()]
}

/**
 * Returns the accounts of some items of one partner with current balances, or the last known ones where the bank is unreachable, closed accounts and
 * duplicates too.
 */
export const readFreshAccounts = async (app: LinkingDependencies, items: Item[]): Promise<FreshAccount[]> => {
  const accounts = (await mapConcurrent(items, maxConcurrentItems, (item) => refreshShared(app, item))).flat()
  const settled = await mapConcurrent(ownersOfSeveral(items), maxConcurrentItems, (owner) =>
    settleDuplicatesOf(app, owner)
  )
  const duplicates = new Map(settled.flatMap((found) => [...found]))
  return accounts.map((account) => ({ ...account, duplicateOf: duplicates.get(account.id) ?? null }))
}

/** Whether an account counts: it is open, and not another account that counts already. */
export const isCounted = ({ closedAt, duplicateOf }: Pick<Account, 'closedAt' | 'duplicateOf'>): boolean =>
  closedAt === null && duplicateOf === null
