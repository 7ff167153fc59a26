import type { Child } from './children.ts'
import type { BenchCase } from './exchange.ts'
import { load, sumUp } from './load.ts'
import type { GrowthRow } from './report.ts'
import { takeTurns } from './turns.ts'

/** A server with a database of one size of history. */
export interface Grown {
  product: Child
  cases: BenchCase[]
}

/** Cases that spread over many users, so that the history of one user has no effect. */
const ungrowing = new Set(['accounts', 'transfer'])

const rounds = 6
const connections = 10

/**
 * Measures a request at each size of history. Each size has a separate server, so that they take turns. Health uses no database: its differences come from the machine.
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
