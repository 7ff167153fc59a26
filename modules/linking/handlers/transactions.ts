import type { FastifyInstance } from 'fastify'
import type { Call, Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { readFeed, readPosition, type ShownTransaction } from '../queries/feed.ts'
import { syncUser, type Sync } from '../user-sync.ts'
import { viewOf, type Viewer } from '../viewer.ts'
import { toTransaction } from '../wire.ts'

/** A cursor is good for one end-user's feed as one kind of caller sees it. */
const listNameOf = (viewer: Viewer, userId: string): string =>
  `transactions ${viewer.partnerId} ${viewOf(viewer)} ${userId}`

/** Where a request begins to read: after its cursor, at the beginning for an empty one, or where the feed was last handed out. */
const startOf = async (
  app: FastifyInstance,
  viewer: Viewer,
  userId: string,
  cursor: string | undefined
): Promise<number> => {
  if (cursor === '') return 0
  if (cursor === undefined) return await readPosition(app.database.db, viewer.partnerId, userId, viewOf(viewer))
  return Number(app.cursors.decode(listNameOf(viewer, userId), cursor)[0])
}

/** Since which day a transaction is out of the reader's sight although it was in it once. */
const isHidden = (row: ShownTransaction, since: string | undefined): boolean =>
  since !== undefined && row.date !== null && row.date < since

export const transactionHandlers = (
  app: FastifyInstance,
  sync: Sync
): Pick<Handlers<typeof operations>, 'listTransactions'> => ({
  async listTransactions({ query, caller, db }: Call<typeof operations.listTransactions>) {
    const { user_id: userId, since } = query
    const after = await startOf(app, caller, userId, query.cursor)
    const wanted = { userId, after, limit: query.limit ?? 100, since }
    let page = await readFeed(db, caller, { ...wanted, upToDate: false })
    let stale = false
    // While more is stored than one page the banks need not be asked; what they have is behind it in the feed.
    if (!page.hasMore) {
      stale = await syncUser(app, caller, userId, sync)
      page = await readFeed(db, caller, { ...wanted, upToDate: true })
    }
    const present = page.rows.filter((row) => !row.removed && !isHidden(row, since))
    return {
      transactions: present.map(toTransaction),
      removed: page.rows.filter((row) => row.removed || isHidden(row, since)).map(({ id }) => ({ transaction_id: id })),
      next_cursor: app.cursors.encode(listNameOf(caller, userId), [page.next]),
      has_more: page.hasMore,
      ...(stale ? { stale } : {})
    }
  }
})
