/** The seed of searches in `npm run test:deep`. */
const deepSeed = process.env.DEEP_SEARCH_SEED

const deepFactor = 20

export interface Search {
  numRuns: number
  seed: number
}

/**
 * Length and seed of a fast-check search. It is short and identical in every `npm test`. In `npm run test:deep` it has 20 times as many runs from
 * another seed.
 *
 * @param runs number of runs of the short search
 */
export const search = (runs: number, seed = 20_260_614): Search =>
  deepSeed === undefined ? { numRuns: runs, seed } : { numRuns: runs * deepFactor, seed: Number(deepSeed) }
