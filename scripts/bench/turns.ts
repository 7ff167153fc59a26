import type { Round } from './load.ts'

/** Something that can be measured for a while. */
export type Way = () => Promise<Round> | Round

/**
 * Measures each way so often, in turns, to and fro: the machine's speed changes from minute to minute, and whoever always came after the same one would find what that one left.
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
