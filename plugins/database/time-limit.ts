import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Trx } from './types.ts'

/**
 * The time limit of a statement. After it, the database counts as unavailable and the connection is closed. Shorter than the timeouts of load balancers.
 */
export const defaultStatementLimitMs = 20_000

/** How long a transaction waits for a connection. After it, the request gets 503. */
export const defaultConnectLimitMs = 5_000

/** The maximum delay of a timer, 24 days. */
const noLimitMs = 2 ** 31 - 1

const unhurried = new AsyncLocalStorage<true>()

let running = 0

/** Runs work without a time limit for its statements, such as migrations. The work must use its own connection, as a transaction does. */
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

/** The limit of the next statement, if it differs from the connection's limit. */
export const ownLimitMs = (): number | undefined => (unhurried.getStore() === true ? noLimitMs : undefined)
