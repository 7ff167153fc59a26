import { collect } from './collector.ts'
import { isRolledBack, transact } from './transaction.ts'
import type { Db, Trx } from './types.ts'

interface Unit {
  /** Names what the unit's first statement locks. */
  key: string
  work: (trx: Trx) => Promise<unknown>
}

/** One unit of several failed, so that their transaction was rolled back. */
class GroupFailed extends Error {}

const isUndone = (error: unknown): boolean => error instanceof GroupFailed || isRolledBack(error)

/** Begins the units in the order of their keys, so that two groups lock the same rows in the same order. */
const runTogether = async (trx: Trx, units: Unit[]): Promise<unknown[]> => {
  const [only, ...others] = units
  if (only !== undefined && others.length === 0) return [await only.work(trx)]
  const results = new Map<Unit, Promise<unknown>>()
  for (const unit of [...units].sort((a, b) => (a.key < b.key ? -1 : 1))) results.set(unit, unit.work(trx))
  const settled = await Promise.allSettled(units.map((unit) => results.get(unit)))
  return settled.map((result) => {
    if (result.status === 'rejected') throw new GroupFailed('A unit of work failed.', { cause: result.reason })
    return result.value
  })
}

/**
 * Runs units of work that come at the same time in one transaction, so that they share its commit. Each sends its statements as it would alone, and its
 * first one locks what its key names. When any of them fails, all are rolled back and each runs in a transaction of its own.
 */
export const createGroupedTransactions = (db: Db): (<T>(key: string, work: (trx: Trx) => Promise<T>) => Promise<T>) => {
  const run = collect((units: Unit[]) => transact(db, (trx) => runTogether(trx, units)), { isUndone })
  return async <T>(key: string, work: (trx: Trx) => Promise<T>): Promise<T> => (await run({ key, work })) as T
}
