import type { FastifyInstance } from 'fastify'
import { transact } from '../../../plugins/database/transaction.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { isPlaidFailure } from '../../../plugins/plaid/index.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { decryptAccessToken } from '../access-token.ts'
import { readFreshAccounts } from '../balances.ts'
import { listAccountsOf } from '../queries/accounts.ts'
import { lockItemsOf } from '../queries/duplicates.ts'
import { removeTransactionsOf } from '../queries/feed-changes.ts'
import { itemNotFound } from '../errors.ts'
import { deleteItem, findItem, listItemsOfUser, lockItem, pageItems, setRemoval, type Item } from '../queries/items.ts'
import { settleDuplicates } from '../settle-duplicates.ts'
import type { LinkingDependencies } from '../sync.ts'
import { toAccount, toItem } from '../wire.ts'

const listName = 'items'

/** Ends the access at Plaid. An item that Plaid does not know counts as removed. */
const removeAtPlaid = async (app: LinkingDependencies, item: Item): Promise<void> => {
  const accessToken = decryptAccessToken(app.secrets, item)
  try {
    await app.plaid
      .in(item.environment)
      .call((api) => api.itemRemove({ access_token: accessToken }), { repeatable: true })
  } catch (error) {
    if (!isPlaidFailure(error, 'ITEM_NOT_FOUND', 'INVALID_ACCESS_TOKEN')) throw error
  }
}

/** Checks with every domain that the item can be removed, and blocks new uses of it. */
const prepareRemoval = async (app: LinkingDependencies, { id, partnerId }: Item): Promise<void> =>
  await transact(app.database.db, async (trx) => {
    if ((await lockItem(trx, id)) === undefined) return
    const accountIds = (await listAccountsOf(trx, [id])).map((account) => account.id)
    for (const check of app.plaid.itemRemovalChecks()) await check(trx, { itemId: id, partnerId, accountIds })
    await setRemoval(trx, id, app.clock.now())
  })

export const itemHandlers = (
  app: LinkingDependencies & Pick<FastifyInstance, 'cursors'>
): Handlers<Pick<typeof operations, 'listAccounts' | 'listItems' | 'deleteItem'>> => ({
  async listAccounts({ query, caller, db }) {
    const items = await listItemsOfUser(db, caller, query.user_id)
    return { accounts: (await readFreshAccounts(app, items)).map(toAccount) }
  },

  async listItems({ query, caller, db }) {
    const limit = query.limit ?? 100
    const after = readTimePosition(app.cursors, listName, query.cursor)
    const found = await pageItems(db, caller, query.user_id, after, limit + 1)
    const { rows, nextCursor } = pageByTime(app.cursors, listName, found, limit)
    return { items: rows.map(toItem), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async deleteItem({ params, caller, db }) {
    const item = await findItem(db, caller, params.item_id)
    if (item === undefined) throw itemNotFound()
    await prepareRemoval(app, item)
    try {
      await removeAtPlaid(app, item)
    } catch (error) {
      await setRemoval(db, item.id, null)
      throw error
    }
    return async (trx) => {
      await lockItemsOf(trx, item)
      const present = await lockItem(trx, item.id)
      if (present !== undefined) {
        await removeTransactionsOf(trx, present)
        await deleteItem(trx, item.id)
        await settleDuplicates(app, trx, item)
      }
      return answer(204, null)
    }
  }
})
