import { isRolledBack } from './database/transaction.ts'

/** How many requests one statement carries out at the most; more wait for the next. */
const mostTogether = 64

interface Waiting<Item, Result> {
  item: Item
  done: (result: Result) => void
  failed: (error: unknown) => void
}

/**
 * Carries out together what is asked for at the same time: one statement is under way at a time, and what comes meanwhile goes into the next one. Who comes
 * alone waits for nobody.
 *
 * When a statement of several is refused by the database, which has rolled all of it back then, each is carried out alone, so that one that cannot be carried
 * out fails none of the others. When the connection broke, nobody knows what became of it, and all are told so.
 *
 * @param carryOut answers one result for each item, in their order.
 */
export const collect = <Item, Result>(carryOut: (items: Item[]) => Promise<Result[]>): ((item: Item) => Promise<Result>) => {
  const waiting: Waiting<Item, Result>[] = []
  let underWay = false

  const settle = async (batch: Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await carryOut(batch.map(({ item }) => item))
      if (results.length !== batch.length) throw new Error(`${batch.length} were carried out together, and ${results.length} results came back.`)
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
      waiting.push({ item, done, failed })
      void work()
    })
}
