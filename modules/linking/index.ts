import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../plugins/access/caller.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import type { Secrets } from '../../plugins/access/secrets.ts'
import { askBalances, readFreshAccounts, type FreshAccount } from './balances.ts'
import { findAccountRow, saveAccounts, type StoredAccount } from './queries/accounts.ts'
import { listPresentTransactions, type StoredTransaction } from './queries/feed.ts'
import { listEndUsers, listItemsOfUser, tokenContext } from './queries/items.ts'
import { syncerOf } from './sync.ts'
import type { ItemStatus } from './tables.ts'
import { syncUser } from './user-sync.ts'
import type { Viewer } from './viewer.ts'

/** What other domains may use of linking. */
export type { FreshAccount, StoredAccount, StoredTransaction, Viewer }
export { selectHeldItems } from './queries/items.ts'

/** An end-user's accounts with the balances that their banks tell now; outside of any transaction. */
export const refreshAccountsOf = async (
  app: FastifyInstance,
  viewer: Viewer,
  userId: string
): Promise<FreshAccount[]> => await readFreshAccounts(app, await listItemsOfUser(app.database.db, viewer, userId))

/** An account with what Plaid needs to move money on it. */
export interface AccountAccess {
  account: StoredAccount
  itemId: string
  userId: string
  environment: Environment
  itemStatus: ItemStatus
  institutionName: string | null
  plaidAccountId: string
  /** Plaid's access token: never to be logged, stored or answered. */
  accessToken: string
}

/** One account of a partner with access to it at Plaid; undefined when the partner has none by this id in these environments. */
export const findAccount = async (
  secrets: Secrets,
  db: Db,
  viewer: Viewer,
  accountId: string
): Promise<AccountAccess | undefined> => {
  const row = await findAccountRow(db, viewer, accountId)
  if (row === undefined) return undefined
  const { user_id, environment, status, access_token, institution_id, institution_name, ...account } = row
  return {
    account,
    itemId: account.item_id,
    userId: user_id,
    environment,
    itemStatus: status,
    institutionName: institution_name ?? institution_id,
    plaidAccountId: account.plaid_account_id,
    accessToken: secrets.decrypt(access_token, tokenContext(account.item_id))
  }
}

const availableOf = (
  account: Pick<StoredAccount, 'available_balance_cents' | 'current_balance_cents'>
): number | null => account.available_balance_cents ?? account.current_balance_cents

/**
 * Asks the bank for an account's balance, for nobody else; outside of any transaction.
 * @returns what stores it, in a transaction, and answers what is there, in cents: the newest that anybody was told, or null when the bank says nothing of it.
 */
export const askBalance = async (
  app: FastifyInstance,
  access: AccountAccess
): Promise<(trx: Trx) => Promise<number | null>> => {
  const told = await askBalances(app, access)
  const { account, itemId } = access
  return async (trx) => {
    const stored = told === undefined ? [] : await saveAccounts(trx, itemId, told)
    return availableOf(stored.find(({ id }) => id === account.id) ?? account)
  }
}

/** Long enough for the two years of a new item, short enough to wait for. */
const longestSyncMs = 15_000

/**
 * Brings an end-user's stored transactions up to what the banks have now, as far as they answer in time; outside of any transaction.
 * @returns whether one of them could not be asked
 * @throws ProblemError 502 when none of them could, and nothing is stored
 */
export const syncTransactionsOf = async (app: FastifyInstance, viewer: Viewer, userId: string): Promise<boolean> =>
  await syncUser(app, viewer, userId, syncerOf(app), longestSyncMs)

const mostTransactions = 50_000

/** An end-user's present transactions dated `since` or later, newest first, as they are stored; amounts in cents, positive when money leaves the account. */
export const listTransactionsForForecast = async (
  db: Db,
  viewer: Viewer,
  userId: string,
  since?: string
): Promise<StoredTransaction[]> => await listPresentTransactions(db, viewer, userId, since, mostTransactions)

/** Up to `limit` of the partner's end-users that have linked something; two are enough to know whether there is exactly one. */
export const findEndUsers = async (db: Db, viewer: Viewer, limit: number): Promise<string[]> =>
  await listEndUsers(db, viewer, limit)
