import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../plugins/auth/caller.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import type { Secrets } from '../../plugins/secrets.ts'
import { readFreshAccounts, refreshItem, type FreshAccount } from './balances.ts'
import { findAccountRow, type StoredAccount } from './queries/accounts.ts'
import { listPresentTransactions, type StoredTransaction } from './queries/feed.ts'
import { holdItems, listEndUsers, listItemsOfUser, readItem, tokenContext } from './queries/items.ts'
import { syncerOf } from './sync.ts'
import type { ItemStatus } from './tables.ts'
import { syncUser } from './user-sync.ts'
import type { Viewer } from './viewer.ts'

/** What other domains may use of linking. */
export type { FreshAccount, StoredAccount, StoredTransaction, Viewer }

/** An end-user's accounts with the balances that their banks tell now; outside of any transaction. */
export const refreshAccountsOf = async (app: FastifyInstance, viewer: Viewer, userId: string): Promise<FreshAccount[]> =>
  await readFreshAccounts(app, await listItemsOfUser(app.database.db, viewer, userId))

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
export const findAccount = async (secrets: Secrets, db: Db, viewer: Viewer, accountId: string): Promise<AccountAccess | undefined> => {
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

/** One account with its balance asked of the bank now; outside of any transaction. Undefined when it is gone. */
export const refreshAccount = async (app: FastifyInstance, { itemId, account }: AccountAccess): Promise<FreshAccount | undefined> => {
  const item = await readItem(app.database.db, itemId)
  if (item === undefined) return undefined
  return (await readFreshAccounts(app, [item], refreshItem)).find(({ id }) => id === account.id)
}

/**
 * Keeps the items behind accounts from being deleted until the transaction ends; what begins with them in it, whoever wants to delete them later will see.
 * @returns false when one of them is gone or about to be.
 */
export const keepAccounts = async (trx: Trx, accesses: AccountAccess[], now: Date): Promise<boolean> =>
  await holdItems(
    trx,
    accesses.map(({ itemId }) => itemId),
    now
  )

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
export const listTransactionsForForecast = async (db: Db, viewer: Viewer, userId: string, since?: string): Promise<StoredTransaction[]> =>
  await listPresentTransactions(db, viewer, userId, since, mostTransactions)

/** Up to `limit` of the partner's end-users that have linked something; two are enough to know whether there is exactly one. */
export const findEndUsers = async (db: Db, viewer: Viewer, limit: number): Promise<string[]> => await listEndUsers(db, viewer, limit)
