import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Trx } from './types.ts'

/** What is to be done when a transaction has committed. */
const commitListeners = new WeakMap<Trx, Set<() => void>>()

/** Whether this code runs in a transaction; undefined while transactions are not watched. */
let inTransaction: AsyncLocalStorage<true> | undefined

/** Makes `assertNoTransaction` work in this process. It costs every request something, so production goes without. */
export const watchTransactions = (): void => {
  inTransaction ??= new AsyncLocalStorage()
}

/** SQLSTATEs after which the same transaction can succeed when it is simply run again: serialization failure, deadlock. */
const retryable = new Set(['40001', '40P01'])
const mostTries = 4

const sqlState = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/**
 * Whether the database itself refused the statement, and so rolled it back; false when the connection broke and the outcome is unknown. Socket error
 * codes begin with E, which no SQLSTATE does (EPIPE is as long as one).
 */
export const isRolledBack = (error: unknown): boolean => /^(?!E|08|57P)[0-9A-Z]{5}$/.test(sqlState(error) ?? '')

/** Repeats `work`, which must be one transaction and nothing else, when the database chose it as the victim of a deadlock. */
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
 * Runs `work` in one transaction, again when the database chose it as the victim of a deadlock. `work` must do nothing but use `trx`.
 * @throws whatever `work` throws, or the error of the statement that failed; the database has rolled everything back then.
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
 * Refuses a call to another service while a transaction is open: it would hold locks and a connection for as long as the other service
 * takes, and deadlock on the embedded database, whose one connection the simulators share. See `watchTransactions`.
 * @throws Error inside a transaction of a process that watches them
 */
export const assertNoTransaction = (): void => {
  if (inTransaction?.getStore() === true)
    throw new Error('A call to another service was made inside a database transaction; make it before the transaction.')
}
