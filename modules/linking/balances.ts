import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/errors/problem.ts'
import { mapBounded } from './bounded.ts'
import { toAccountRows } from './changes.ts'
import { listAccountsOf, saveAccounts, type StoredAccount } from './queries/accounts.ts'
import { holdItem, tokenContext, type ItemRow } from './queries/items.ts'
import { noteItemFailure } from './status.ts'

const width = 4

export interface FreshAccount extends StoredAccount {
  /** The bank could not be asked now, or told nothing of this account. */
  stale: boolean
}

/** Asks an item's bank for its balances and stores them. @returns Plaid's ids of the accounts that it told of; none when it could not be asked. */
export const refreshItem = async (app: FastifyInstance, item: ItemRow): Promise<string[]> => {
  try {
    const accessToken = app.secrets.decrypt(item.access_token, tokenContext(item.id))
    const { accounts } = await app.plaid.in(item.environment).call((api) => api.accountsBalanceGet({ access_token: accessToken }), { repeatable: true, attempts: 2 })
    await transact(app.database.db, async (trx) => {
      // The item may be deleted by now, and its accounts with it.
      if (await holdItem(trx, item.id)) await saveAccounts(trx, item.id, toAccountRows(accounts, app.clock.now()))
    })
    return accounts.map((account) => account.account_id)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    await noteItemFailure(app, item.id, error)
    return []
  }
}

const underWay = new WeakMap<FastifyInstance, Map<string, Promise<string[]>>>()

/** Refreshes an item once for all who ask while its bank is being asked, since the bank takes long and each question costs. */
const refreshOnce = (app: FastifyInstance, item: ItemRow): Promise<string[]> => {
  const refreshes = underWay.get(app) ?? new Map<string, Promise<string[]>>()
  underWay.set(app, refreshes)
  const running = refreshes.get(item.id)
  if (running !== undefined) return running
  const refresh = refreshItem(app, item).finally(() => refreshes.delete(item.id))
  refreshes.set(item.id, refresh)
  return refresh
}

/**
 * The accounts of some items with balances as of now; where a bank cannot be asked, the last known ones.
 * @param refresh how an item is asked for; together with others unless the answer decides about money.
 */
export const readFreshAccounts = async (app: FastifyInstance, items: ItemRow[], refresh = refreshOnce): Promise<FreshAccount[]> => {
  const told = new Map((await mapBounded(items, width, async (item) => [item.id, new Set(await refresh(app, item))] as const)))
  const rank = new Map(items.map((item, index) => [item.id, index]))
  const accounts = await listAccountsOf(
    app.database.db,
    items.map((item) => item.id)
  )
  return accounts
    .sort((a, b) => (rank.get(a.item_id) ?? 0) - (rank.get(b.item_id) ?? 0))
    .map((account) => ({ ...account, stale: told.get(account.item_id)?.has(account.plaid_account_id) !== true }))
}
