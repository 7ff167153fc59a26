import { defaultStatementLimitMs } from './time-limit.ts'
import { isRolledBack } from './transaction.ts'
import { unavailable } from '../http/errors/kinds.ts'

/** How many requests one statement carries out at the most; more wait for the next. */
const mostTogether = 64

interface Waiting<Item, Result> {
  item: Item
  sinceMs: number
  done: (result: Result) => void
  failed: (error: unknown) => void
}

/**
 * Carries out together what is asked for at the same time: one statement is under way at a time, and what comes meanwhile goes into the next one. Who comes
 * alone waits for nobody.
 *
 * When a statement of several is refused by the database, which has rolled all of it back then, each is carried out alone, so that one that cannot be carried
 * out fails none of the others. When the connection broke, nobody knows what became of it, and all are told so. Who has waited as long as
 * a statement may take is told that nothing was done: the database is as good as away, and each statement before it would take that long again.
 *
 * @param carryOut answers one result for each item, in their order.
 * @param limits how long an item may wait until its statement is sent, by a clock that only runs forward.
 */
export const collect = <Item, Result>(
  carryOut: (items: Item[]) => Promise<Result[]>,
  { waitLimitMs = defaultStatementLimitMs, nowMs = () => performance.now() } = {}
): ((item: Item) => Promise<Result>) => {
  const waiting: Waiting<Item, Result>[] = []
  let underWay = false

  const settle = async (taken: Waiting<Item, Result>[]): Promise<void> => {
    const latestMs = nowMs() - waitLimitMs
    const batch = taken.filter(({ sinceMs }) => sinceMs > latestMs)
    for (const { sinceMs, failed } of taken) {
      if (sinceMs <= latestMs)
        failed(
          unavailable('The database does not answer, and nothing was done. Try again soon.', {}, { 'retry-after': '1' })
        )
    }
    if (batch.length === 0) return
    try {
      const results = await carryOut(batch.map(({ item }) => item))
      if (results.length !== batch.length)
        throw new Error(`${batch.length} were carried out together, and ${results.length} results came back.`)
      batch.forEach(({ done }, index) => done(results[index] as Result))
    } catch (error) {
      if (batch.length > 1 && isRolledBack(error)) for (const one of batch) await settle([one])
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
