import { collect } from './collector.ts'
import { isRolledBack, transact } from './transaction.ts'
import type { Db, Trx } from './types.ts'

type Unit = (trx: Trx) => Promise<unknown>

/** One of several units failed, so their transaction was rolled back. */
class GroupFailed extends Error {}

const isUndone = (error: unknown): boolean => error instanceof GroupFailed || isRolledBack(error)

const runTogether = async (trx: Trx, units: Unit[]): Promise<unknown[]> => {
  const [only, ...others] = units
  if (only !== undefined && others.length === 0) return [await only(trx)]
  const settled = await Promise.allSettled(units.map((unit) => unit(trx)))
  return settled.map((result) => {
    if (result.status === 'rejected') throw new GroupFailed('A unit of work failed.', { cause: result.reason })
    return result.value
  })
}

/**
 * Runs concurrent units of work in one transaction, so that they share its commit. When one of them fails, all are rolled back and each runs in a separate
 * transaction.
 */
export const createGroupedTransactions = (db: Db): (<T>(work: (trx: Trx) => Promise<T>) => Promise<T>) => {
  const run = collect((units: Unit[]) => transact(db, (trx) => runTogether(trx, units)), { isUndone })
  return async <T>(work: (trx: Trx) => Promise<T>): Promise<T> => (await run(work)) as T
}
