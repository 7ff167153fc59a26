/** The seed that `npm run test:deep` gives to its searches. */
const deepSeed = process.env.DEEP_SEARCH_SEED

const deepFactor = 20

export interface Search {
  numRuns: number
  seed: number
}

/**
 * How long fast-check searches, and from which seed: a short search that is the same in every `npm test`, and in `npm run test:deep` one of 20 times as many runs from
 * another seed.
 *
 * @param runs of the short search
 */
export const search = (runs: number, seed = 20_260_614): Search =>
  deepSeed === undefined ? { numRuns: runs, seed } : { numRuns: runs * deepFactor, seed: Number(deepSeed) }
