import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Trx } from './types.ts'

/**
 * How long a statement may take. A database that has not answered by then is as good as away: its connection is given up, so that no request waits for
 * ever. Shorter than load balancers wait.
 */
export const defaultStatementLimitMs = 20_000

/** The longest time that a timer takes, 24 days. */
const noLimitMs = 2 ** 31 - 1

const unhurried = new AsyncLocalStorage<true>()

let running = 0

/** Runs work whose statements take as long as they need, such as migrations. It must use connections of its own, as a transaction does. */
export const withoutTimeLimit = async <T>(work: () => Promise<T>): Promise<T> => {
  running += 1
  try {
    return await unhurried.run(true, work)
  } finally {
    running -= 1
    // Node 20 follows every promise of the process while such a storage is in use.
    if (running === 0) unhurried.disable()
  }
}

/** Reads whole tables, such as the book, in a transaction: statements that take so long must not stand before others on a connection that is shared. */
export const readAtLeisure = async <T>(db: Db, read: (trx: Trx) => Promise<T>): Promise<T> =>
  await withoutTimeLimit(() => db.transaction().execute(read))

/** The limit of the statement that is about to be sent, where it is not the connection's own. */
export const ownLimitMs = (): number | undefined => (unhurried.getStore() === true ? noLimitMs : undefined)
