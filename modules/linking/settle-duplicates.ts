import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { findDuplicates, type SeenAccount } from './duplicates.ts'
import { countPurchases } from './purchase-usage.ts'
import { listSeenAccounts, lockItemsOf, setDuplicateOf, type EndUser } from './queries/duplicates.ts'
import { listPresentIds, writeChanges } from './queries/feed-changes.ts'
import { readItem } from './queries/items.ts'
import { requestFreshSync } from './queries/syncs.ts'

type Dependencies = Pick<FastifyInstance, 'clock' | 'database'>

const changesOf = (accounts: SeenAccount[]) => {
  const duplicates = findDuplicates(accounts)
  const changed = accounts.filter(({ id, duplicateOf }) => (duplicates.get(id) ?? null) !== duplicateOf)
  return { duplicates, changed }
}

/**
 * Marks the accounts of an end-user that are another one seen through a second item. The transactions of a duplicate leave the feed and the usage;
 * those of an account that counts again are read afresh. The caller holds `lockItemsOf`.
 */
export const settleDuplicates = async (
  { clock }: Pick<Dependencies, 'clock'>,
  trx: Trx,
  endUser: EndUser
): Promise<void> => {
  const { duplicates, changed } = changesOf(await listSeenAccounts(trx, endUser))
  for (const { id, itemId } of changed) {
    const duplicateOf = duplicates.get(id) ?? null
    await setDuplicateOf(trx, id, duplicateOf)
    if (duplicateOf === null) {
      await requestFreshSync(trx, itemId)
      continue
    }
    const item = await readItem(trx, itemId)
    if (item === undefined) continue
    const { purchaseIds } = await writeChanges(trx, item, [], await listPresentIds(trx, itemId, id))
    await countPurchases(trx, item, purchaseIds, clock.now())
  }
}

/**
 * Settles the duplicates of an end-user in a transaction of its own, if any changed.
 * @returns the account that counts in its place by the id of each duplicate.
 */
export const settleDuplicatesOf = async (app: Dependencies, endUser: EndUser): Promise<Map<string, string>> => {
  const { db } = app.database
  const { duplicates, changed } = changesOf(await listSeenAccounts(db, endUser))
  if (changed.length === 0) return duplicates
  return await transact(db, async (trx) => {
    await lockItemsOf(trx, endUser)
    await settleDuplicates(app, trx, endUser)
    return changesOf(await listSeenAccounts(trx, endUser)).duplicates
  })
}
