import type { Environment } from '../access/caller.ts'
import type { Viewer } from '../access/viewer.ts'

/**
 * Merges the first rows of several lists into the first rows of all of them. Each list can then be read through its own index range. One query over all of them would have
 * to sort them or pass over the rows of the others.
 * @param lists each with up to `limit` rows in the order of `compare`
 * @param compare negative when the first row comes before the second
 */
export const mergeLists = async <Row>(
  lists: Promise<Row[]>[],
  limit: number,
  compare: (one: Row, other: Row) => number
): Promise<Row[]> => {
  const all = await Promise.all(lists)
  return all.length === 1 ? all.flat() : all.flat().sort(compare).slice(0, limit)
}

/**
 * Reads a list of several environments, each through its own index range.
 * @param read returns up to `limit` rows of one environment in the order of the list
 * @param compare negative when the first row comes before the second
 */
export const mergeEnvironments = async <Row>(
  { environments }: Pick<Viewer, 'environments'>,
  limit: number,
  read: (environment: Environment) => Promise<Row[]>,
  compare: (one: Row, other: Row) => number
): Promise<Row[]> => await mergeLists(environments.map(read), limit, compare)
