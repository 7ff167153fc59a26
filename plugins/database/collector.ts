import { defaultStatementLimitMs } from './time-limit.ts'
import { isRolledBack } from './transaction.ts'
import { unavailable } from '../http/errors/kinds.ts'

/** The maximum number of items in a batch. More items wait for the next batch. */
const mostTogether = 64

interface Waiting<Item, Result> {
  item: Item
  sinceMs: number
  done: (result: Result) => void
  failed: (error: unknown) => void
}

/**
 * Processes concurrent items in batches. One batch runs at a time; items that arrive meanwhile form the next one. A single item does not wait for others.
 *
 * When a batch of several items fails and is rolled back, each item is processed alone, so that one bad item does not fail the others. When the connection
 * breaks, the outcome is unknown and every item of the batch fails. An item that has waited for the time limit of a statement fails with 503, because
 * each earlier batch can take as long.
 *
 * @param process returns one result per item, in the same order.
 * @param options `waitLimitMs`: how long an item may wait for its batch to start, in milliseconds of the monotonic clock `nowMs`. `isUndone`: whether an
 *   error means that the batch was rolled back.
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
