import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Trx } from './types.ts'

/** Callbacks to run after a transaction has committed. */
const commitListeners = new WeakMap<Trx, Set<() => void>>()

/** Whether this code runs in a transaction; undefined while transactions are not watched. */
let inTransaction: AsyncLocalStorage<true> | undefined

/** Enables `assertNoTransaction` in this process. It slows down every request, so production does not use it. */
export const watchTransactions = (): void => {
  inTransaction ??= new AsyncLocalStorage()
}

/** SQLSTATEs after which a retry of the transaction can succeed: serialization failure, deadlock. */
const retryable = new Set(['40001', '40P01'])
const mostTries = 4

const sqlState = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/**
 * Whether the database rejected the statement, and so rolled it back; false when the connection broke and the outcome is unknown. Socket error codes start with
 * E, which no SQLSTATE does (EPIPE has the length of one).
 */
export const isRolledBack = (error: unknown): boolean => /^(?!E|08|57P)[0-9A-Z]{5}$/.test(sqlState(error) ?? '')

/** Retries `work`, which must be only one transaction, when the database aborted it to resolve a deadlock. */
export const again = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= mostTries || !retryable.has(sqlState(error) ?? '')) throw error
    }
  }
}

/**
 * Runs `work` in one transaction, and retries it when the database aborted it to resolve a deadlock. `work` must have no effects outside `trx`.
 * @throws the error of `work` or of the failed statement, after the database has rolled everything back.
 */
export const transact = async <T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> =>
  await again(async () => {
    const listeners = new Set<() => void>()
    const run = async (): Promise<T> =>
      await db.transaction().execute((trx) => {
        commitListeners.set(trx, listeners)
        return work(trx)
      })
    const result = await (inTransaction === undefined ? run() : inTransaction.run(true, run))
    for (const listener of listeners) listener()
    return result
  })

/**
 * Calls `listener` once when a transaction of `transact` has committed, and never when it rolls back. It must not throw. It is
 * only a hint: a process that dies right after the commit calls nothing, so what must happen also has to be found in the database.
 */
export const afterCommit = (trx: Trx, listener: () => void): void => {
  commitListeners.get(trx)?.add(listener)
}

/**
 * Rejects a call to an upstream service, or other slow work, inside a transaction. It would hold locks and a connection meanwhile, and a call would deadlock on the
 * embedded database, whose single connection the simulators share. See `watchTransactions`.
 * @throws Error inside a transaction of a process that watches transactions
 */
export const assertNoTransaction = (): void => {
  if (inTransaction?.getStore() === true)
    throw new Error('A call to another service, or other slow work, began inside a database transaction; do it before.')
}
