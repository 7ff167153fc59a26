import { defaultStatementLimitMs } from './time-limit.ts'
import { isRolledBack } from './transaction.ts'
import { unavailable } from '../http/errors/kinds.ts'

/** Items in a batch; more wait for the next one. */
const mostTogether = 64

interface Waiting<Item, Result> {
  item: Item
  sinceMs: number
  done: (result: Result) => void
  failed: (error: unknown) => void
}

/**
 * Processes concurrent items together: one batch is under way at a time, and what arrives meanwhile goes into the next one. An item that arrives alone does
 * not wait for others.
 *
 * When a batch of several fails and is undone, each of its items is processed alone, so that one bad item does not fail the others. When the connection
 * broke, the outcome is unknown and every item of the batch fails. An item that has waited as long as a statement may take fails with 503: each batch
 * before it would take that long again.
 *
 * @param process returns one result per item, in their order.
 * @param options `waitLimitMs`: how long an item may wait until its batch begins, in milliseconds of the monotonic clock `nowMs`. `isUndone`: whether an
 *   error means that nothing of the batch was done.
 */
export const collect = <Item, Result>(
  process: (items: Item[]) => Promise<Result[]>,
  { waitLimitMs = defaultStatementLimitMs, nowMs = () => performance.now(), isUndone = isRolledBack } = {}
): ((item: Item) => Promise<Result>) => {
  const waiting: Waiting<Item, Result>[] = []
  let underWay = false

  const settle = async (taken: Waiting<Item, Result>[]): Promise<void> => {
    const latestMs = nowMs() - waitLimitMs
    const batch = taken.filter(({ sinceMs }) => sinceMs > latestMs)
    for (const { sinceMs, failed } of taken) {
      if (sinceMs <= latestMs)
        failed(
          unavailable('The database is unavailable. Nothing was done. Retry in 1 second.', {}, { 'retry-after': '1' })
        )
    }
    if (batch.length === 0) return
    try {
      const results = await process(batch.map(({ item }) => item))
      if (results.length !== batch.length)
        throw new Error(`A batch of ${batch.length} items returned ${results.length} results.`)
      batch.forEach(({ done }, index) => done(results[index] as Result))
    } catch (error) {
      if (batch.length > 1 && isUndone(error)) for (const one of batch) await settle([one])
      else for (const { failed } of batch) failed(error)
    }
  }

  const work = async (): Promise<void> => {
    if (underWay) return
    underWay = true
    while (waiting.length > 0) await settle(waiting.splice(0, mostTogether))
    underWay = false
  }

  return async (item) =>
    await new Promise<Result>((done, failed) => {
      waiting.push({ item, sinceMs: nowMs(), done, failed })
      void work()
    })
}
