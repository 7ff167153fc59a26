import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Trx } from './types.ts'

/** What a transaction has to wait for and to do at its commit. */
interface Commit {
  statements: Promise<unknown>[]
  listeners: Set<() => void>
}

const commits = new WeakMap<Trx, Commit>()

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

const commitOf = (trx: Trx): Commit => {
  const commit = commits.get(trx)
  if (commit === undefined) throw new Error('This transaction was not begun by transact().')
  return commit
}

/** The first statement that failed is the cause; the database refuses every later one with 25P02 and rolls back. */
const causeOf = async (error: unknown, { statements }: Commit): Promise<unknown> => {
  const failed = (await Promise.allSettled(statements)).find((result) => result.status === 'rejected')
  return failed?.reason ?? error
}

const runOnce = async <T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> => {
  const commit: Commit = { statements: [], listeners: new Set() }
  let isDone = false
  try {
    const result = await db.transaction().execute(async (trx) => {
      commits.set(trx, commit)
      const result = await work(trx)
      isDone = true
      return result
    })
    await Promise.all(commit.statements)
    for (const listener of commit.listeners) listener()
    return result
  } catch (error) {
    throw isDone || sqlState(error) === '25P02' ? await causeOf(error, commit) : error
  }
}

/**
 * Runs `work` in one transaction, again when the database chose it as the victim of a deadlock. `work` must do nothing but use `trx`.
 * @throws whatever `work` throws, or the error of the first statement that failed; the database has rolled everything back then.
 */
export const transact = async <T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> =>
  await again(() => {
    const run = () => runOnce(db, work)
    return inTransaction === undefined ? run() : inTransaction.run(true, run)
  })

/**
 * Lets a statement whose result nothing in the transaction needs share the commit's round trip: it is sent at once, and its response is awaited
 * together with the commit's. When it fails, the transaction fails.
 */
export const withCommit = (trx: Trx, statement: Promise<unknown>): void => {
  statement.catch(() => undefined)
  commitOf(trx).statements.push(statement)
}

/**
 * Calls `listener` once when a transaction of `transact` has committed, and never when it rolls back. It must not throw. It is
 * only a hint: a process that dies right after the commit calls nothing, so what must happen also has to be found in the database.
 */
export const afterCommit = (trx: Trx, listener: () => void): void => {
  commitOf(trx).listeners.add(listener)
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
