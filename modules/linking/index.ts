import type { Environment } from '../../plugins/access/caller.ts'
import type { Secrets } from '../../plugins/access/secrets.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { decryptAccessToken } from './access-token.ts'
import { fetchBalances, isCounted, readFreshAccounts, type FreshAccount } from './balances.ts'
import { findAccountWithItem, saveAccounts, type Account } from './queries/accounts.ts'
import { listItemsOfUser } from './queries/items.ts'
import { syncOf, type LinkingDependencies } from './sync.ts'
import { syncUser } from './user-sync.ts'
import type { Viewer } from '../../plugins/access/viewer.ts'

/** The interface of linking for other domains. */
export { isCounted }
export type { Account, FreshAccount, LinkingDependencies }
export type { History } from './tables.ts'
export { readFeedHead, readTransactionsJson, type PresentTransaction } from './queries/feed.ts'
export { listEndUsers, readHistoryOf, selectHeldItems } from './queries/items.ts'

/**
 * Returns the accounts of an end-user that count, with balances fetched from the banks: not those that the bank no longer lists, and each account once that
 * several items show. Call it outside of transactions.
 */
export const refreshAccountsOf = async (
  app: LinkingDependencies,
  viewer: Viewer,
  userId: string
): Promise<FreshAccount[]> => {
  const accounts = await readFreshAccounts(app, await listItemsOfUser(app.database.db, viewer, userId))
  return accounts.filter(isCounted)
}

/** An account with everything that Plaid needs to move money on it. */
export interface AccountAccess {
  account: Account
  userId: string
  environment: Environment
  institutionId: string | null
  /** Plaid's access token: never log, store or return it. */
  accessToken: string
}

/** Finds an account of a partner with access to it at Plaid; undefined when there is none with this id in these environments. */
export const findAccount = async (
  secrets: Secrets,
  db: Db,
  viewer: Viewer,
  accountId: string
): Promise<AccountAccess | undefined> => {
  const found = await findAccountWithItem(db, viewer, accountId)
  if (found === undefined) return undefined
  const { userId, environment, institutionId, encryptedAccessToken, ...account } = found
  const accessToken = decryptAccessToken(secrets, { id: account.itemId, encryptedAccessToken })
  return { account, userId, environment, institutionId, accessToken }
}

/**
 * Fetches the balance of an account from its bank, regardless of fetches in progress. Call it outside of transactions.
 * @returns a function that stores the result in a transaction and returns the newest known balance in minor units; null when it is unknown.
 */
export const askBalance = async (
  app: LinkingDependencies,
  access: AccountAccess
): Promise<(trx: Trx) => Promise<number | null>> => {
  const { account, environment, institutionId, accessToken } = access
  const { itemId } = account
  const fetched = await fetchBalances(app, { itemId, environment, institutionId, accessToken })
  return async (trx) => {
    const stored = fetched === undefined ? [] : await saveAccounts(trx, itemId, fetched, app.clock.now())
    const { availableBalanceCents, currentBalanceCents } = stored.find(({ id }) => id === account.id) ?? account
    return availableBalanceCents ?? currentBalanceCents
  }
}

/** Long enough for two years of transactions of a new item, short enough for a request. */
const syncTimeoutMs = 15_000

/**
 * Syncs the stored transactions of an end-user with the banks, as far as they respond in time. Call it outside of transactions.
 * @returns whether a bank was unreachable, so that the stored data may be stale.
 * @throws ProblemError 502 when all banks were unreachable and nothing is stored.
 */
export const syncTransactionsOf = async (app: LinkingDependencies, viewer: Viewer, userId: string): Promise<boolean> =>
  await syncUser(app, viewer, userId, syncOf(app), syncTimeoutMs)
