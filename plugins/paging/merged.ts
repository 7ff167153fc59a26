import type { Environment } from '../access/caller.ts'
import type { Viewer } from '../access/viewer.ts'

/**
 * Reads a list of several environments: the first rows of each, through its own index range, merged into one order. One query over all of them would have to
 * sort them or pass over the rows of the other environments.
 * @param read returns up to `limit` rows of one environment in the order of the list
 * @param compare negative when the first row comes before the second
 */
export const mergeEnvironments = async <Row>(
  { environments }: Pick<Viewer, 'environments'>,
  limit: number,
  read: (environment: Environment) => Promise<Row[]>,
  compare: (one: Row, other: Row) => number
): Promise<Row[]> => {
  const lists = await Promise.all(environments.map(read))
  return lists.length === 1 ? lists.flat() : lists.flat().sort(compare).slice(0, limit)
}
