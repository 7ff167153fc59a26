import type { Child } from './children.ts'
import type { BenchCase } from './exchange.ts'
import { load, sumUp } from './load.ts'
import type { GrowthRow } from './report.ts'
import { takeTurns } from './turns.ts'

/** A server, with a database that has so many rows of history. */
export interface Grown {
  product: Child
  cases: BenchCase[]
}

/** What is of so many users that the history of one says nothing. */
const ungrowing = new Set(['accounts', 'transfer'])

const rounds = 6
const connections = 10

/**
 * How long a request takes at each size of history. Each size has a server of its own, so that they take turns like everything that is compared. Health asks no database:
 * what differs there is the machine.
 */
export const measureGrowth = async (servers: Grown[], seconds: number): Promise<GrowthRow[]> => {
  const rows: GrowthRow[] = []
  for (const { name } of servers[0]?.cases ?? []) {
    if (ungrowing.has(name)) continue
    const ways = servers.map(({ product, cases }) => {
      const bench = cases.find((one) => one.name === name)
      if (bench === undefined) throw new Error(`A server has no case ${name}.`)
      return () => load(product.url, bench, connections, seconds)
    })
    for (const warmUp of ways) await warmUp()
    rows.push({ name, p50Ms: (await takeTurns(ways, rounds)).map((seen) => sumUp(seen).p50Ms) })
  }
  return rows
}
