import type { FastifyInstance } from 'fastify'
import type { Call, Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { readHistoryOf } from '../queries/items.ts'
import { readFeed, readPosition, type FeedTransaction } from '../queries/feed.ts'
import type { Sync } from '../sync.ts'
import { syncUser } from '../user-sync.ts'
import { viewOf, type Viewer } from '../../../plugins/access/viewer.ts'
import { toTransaction } from '../wire.ts'

type Dependencies = Pick<FastifyInstance, 'cursors' | 'database'>

/** A cursor is valid for one view of one end-user's feed. */
const listNameOf = (viewer: Viewer, userId: string): string =>
  `transactions ${viewer.partnerId} ${viewOf(viewer)} ${userId}`

/** The position after which to read: that of the cursor, the start for an empty cursor, or the last read position without one. */
const startOf = async (
  app: Dependencies,
  viewer: Viewer,
  userId: string,
  cursor: string | undefined
): Promise<number> => {
  if (cursor === '') return 0
  if (cursor === undefined) return await readPosition(app.database.db, viewer.partnerId, userId, viewOf(viewer))
  return Number(app.cursors.decode(listNameOf(viewer, userId), cursor)[0])
}

/** Whether a transaction has moved to a date before `since`, so that readers must remove it. */
const isHidden = (row: FeedTransaction, since: string | undefined): boolean =>
  since !== undefined && row.date !== null && row.date < since

export const transactionHandlers = (
  app: Dependencies,
  sync: Sync
): Handlers<Pick<typeof operations, 'listTransactions'>> => ({
  async listTransactions({ query, caller, db }: Call<typeof operations.listTransactions>) {
    const { user_id: userId, since } = query
    const after = await startOf(app, caller, userId, query.cursor)
    const feedQuery = { userId, after, limit: query.limit ?? 100, since }
    const read = (upToDate: boolean) =>
      Promise.all([readFeed(db, caller, { ...feedQuery, upToDate }), readHistoryOf(db, caller, userId)])
    let [page, history] = await read(false)
    let stale = false
    // With more pages stored, no sync is needed yet: new transactions come later in the feed.
    if (!page.hasMore) {
      stale = await syncUser(app, caller, userId, sync)
      ;[page, history] = await read(true)
    }
    const isGone = (row: FeedTransaction) => row.removed || isHidden(row, since)
    return {
      transactions: page.transactions.filter((row) => !isGone(row)).map(toTransaction),
      removed: page.transactions.filter(isGone).map(({ id }) => ({ transaction_id: id })),
      next_cursor: app.cursors.encode(listNameOf(caller, userId), [page.next]),
      has_more: page.hasMore,
      history,
      ...(stale ? { stale } : {})
    }
  }
})
