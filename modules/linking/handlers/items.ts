import type { FastifyInstance } from 'fastify'
import { notFound } from '../../../plugins/errors/kinds.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { isPlaidFailure } from '../../../plugins/plaid/index.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { readFreshAccounts } from '../balances.ts'
import { buryItem } from '../queries/feed.ts'
import { findItem, listItemsOfUser, lockItem, pageItems, removeItem, tokenContext, type ItemRow } from '../queries/items.ts'
import { toAccount, toItem } from '../wire.ts'

const listName = 'items'

/** Ends the access at Plaid. An item that Plaid does not know any more is as good as removed. */
const removeAtPlaid = async (app: FastifyInstance, item: ItemRow): Promise<void> => {
  const accessToken = app.secrets.decrypt(item.access_token, tokenContext(item.id))
  try {
    await app.plaid.in(item.environment).call((api) => api.itemRemove({ access_token: accessToken }), { repeatable: true })
  } catch (error) {
    if (!isPlaidFailure(error, 'ITEM_NOT_FOUND', 'INVALID_ACCESS_TOKEN')) throw error
  }
}

export const itemHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'listAccounts' | 'listItems' | 'deleteItem'> => ({
  async listAccounts({ query, caller, db }) {
    const items = await listItemsOfUser(db, caller, query.user_id)
    return { accounts: (await readFreshAccounts(app, items)).map(toAccount) }
  },

  async listItems({ query, caller, db }) {
    const limit = query.limit ?? 100
    const after = query.cursor === undefined || query.cursor === '' ? undefined : (app.cursors.decode(listName, query.cursor) as [string, string])
    const rows = await pageItems(db, caller, query.user_id, limit, after)
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    const hasMore = rows.length > limit && last !== undefined
    return { items: items.map(toItem), next_cursor: hasMore ? app.cursors.encode(listName, [last.created_at.toISOString(), last.id]) : null, has_more: hasMore }
  },

  async deleteItem({ params, caller, db }) {
    const item = await findItem(db, caller, params.item_id)
    if (item === undefined) throw notFound('There is no such item.')
    await removeAtPlaid(app, item)
    return async (trx) => {
      const present = await lockItem(trx, item.id)
      if (present !== undefined) {
        await buryItem(trx, present)
        await removeItem(trx, item.id)
      }
      return answer(204, null)
    }
  }
})
