import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { decryptAccessToken } from './access-token.ts'
import { toNewAccounts, type NewAccount } from './changes.ts'
import { mapConcurrent } from './concurrency.ts'
import { recordItemFailure } from './item-status.ts'
import { listAccountsOf, saveAccounts, type Account } from './queries/accounts.ts'
import type { Item } from './queries/items.ts'
import type { LinkingDependencies } from './sync.ts'

const maxConcurrentItems = 4

export interface FreshAccount extends Account {
  /** The bank was unreachable, or returned no balance for this account. */
  stale: boolean
}

interface ItemAccess {
  itemId: string
  environment: Environment
  accessToken: string
}

/** Fetches the balances of an item from its bank; undefined, with the failure recorded on the item, when that fails. */
export const fetchBalances = async (
  app: LinkingDependencies,
  { itemId, environment, accessToken }: ItemAccess
): Promise<NewAccount[] | undefined> => {
  try {
    const { accounts } = await app.plaid
      .in(environment)
      .call((api) => api.accountsBalanceGet({ access_token: accessToken }), { repeatable: true, attempts: 2 })
    return toNewAccounts(accounts, app.clock.now())
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    await recordItemFailure(app, itemId, error)
    return undefined
  }
}

const refresh = async (app: LinkingDependencies, item: Item): Promise<FreshAccount[]> => {
  const { db } = app.database
  const { id: itemId, environment } = item
  const accessToken = decryptAccessToken(app.secrets, item)
  const fetched = await fetchBalances(app, { itemId, environment, accessToken })
  if (fetched === undefined) return (await listAccountsOf(db, [itemId])).map((account) => ({ ...account, stale: true }))
  const fetchedIds = new Set(fetched.map((account) => account.plaidAccountId))
  // Saving can wait for a lock on the item, which must not block a shared connection.
  const stored = await transact(db, (trx) => saveAccounts(trx, itemId, fetched))
  return stored.map((account) => ({ ...account, stale: !fetchedIds.has(account.plaidAccountId) }))
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

/** Returns the accounts of some items with current balances, or the last known ones where the bank is unreachable. */
export const readFreshAccounts = async (app: LinkingDependencies, items: Item[]): Promise<FreshAccount[]> =>
  (await mapConcurrent(items, maxConcurrentItems, (item) => refreshShared(app, item))).flat()
