import type { Round } from './load.ts'

/** Measures one variant for a while. */
export type Way = () => Promise<Round> | Round

/**
 * Measures the variants in alternating order, round by round: the machine's speed changes over time, and a variant can affect the one after it.
 * @returns the rounds of each way, in the order of the ways.
 */
export const takeTurns = async (ways: Way[], rounds: number): Promise<Round[][]> => {
  const seen = ways.map((): Round[] => [])
  const there = [...ways.entries()]
  const back = there.toReversed()
  for (let round = 0; round < rounds; round++) {
    for (const [index, go] of round % 2 === 0 ? there : back) seen[index]?.push(await go())
  }
  return seen
}
