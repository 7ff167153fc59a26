import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { mapBounded } from './bounded.ts'
import { toAccountRows, type AccountRow } from './changes.ts'
import { listAccountsOf, saveAccounts, type StoredAccount } from './queries/accounts.ts'
import { tokenContext, type ItemRow } from './queries/items.ts'
import { noteItemFailure } from './status.ts'

const width = 4

export interface FreshAccount extends StoredAccount {
  /** The bank could not be asked now, or told nothing of this account. */
  stale: boolean
}

/** An item with the access to it. */
interface Access {
  itemId: string
  environment: Environment
  accessToken: string
}

/** Asks an item's bank for its balances; undefined when it could not be asked, which is then noted with the item. */
export const askBalances = async (
  app: FastifyInstance,
  { itemId, environment, accessToken }: Access
): Promise<AccountRow[] | undefined> => {
  try {
    const { accounts } = await app.plaid
      .in(environment)
      .call((api) => api.accountsBalanceGet({ access_token: accessToken }), { repeatable: true, attempts: 2 })
    return toAccountRows(accounts, app.clock.now())
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    await noteItemFailure(app, itemId, error)
    return undefined
  }
}

const refresh = async (app: FastifyInstance, { id, environment, access_token }: ItemRow): Promise<FreshAccount[]> => {
  const { db } = app.database
  const told = await askBalances(app, {
    itemId: id,
    environment,
    accessToken: app.secrets.decrypt(access_token, tokenContext(id))
  })
  if (told === undefined) return (await listAccountsOf(db, [id])).map((account) => ({ ...account, stale: true }))
  const toldOf = new Set(told.map((account) => account.plaid_account_id))
  // It may wait for a lock on the item, which no connection that others share should.
  const stored = await transact(db, (trx) => saveAccounts(trx, id, told))
  return stored.map((account) => ({ ...account, stale: !toldOf.has(account.plaid_account_id) }))
}

const underWay = new WeakMap<FastifyInstance, Map<string, Promise<FreshAccount[]>>>()

/** Refreshes an item once for all who ask while its bank is being asked, since the bank takes long and each question costs. */
const refreshOnce = (app: FastifyInstance, item: ItemRow): Promise<FreshAccount[]> => {
  const refreshes = underWay.get(app) ?? new Map<string, Promise<FreshAccount[]>>()
  underWay.set(app, refreshes)
  const running = refreshes.get(item.id)
  if (running !== undefined) return running
  const refreshing = refresh(app, item).finally(() => refreshes.delete(item.id))
  refreshes.set(item.id, refreshing)
  return refreshing
}

/** The accounts of some items with balances as of now; where a bank cannot be asked, the last known ones. */
export const readFreshAccounts = async (app: FastifyInstance, items: ItemRow[]): Promise<FreshAccount[]> =>
  (await mapBounded(items, width, (item) => refreshOnce(app, item))).flat()
