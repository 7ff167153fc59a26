import type { Viewer } from '../../plugins/access/viewer.ts'
import type { FeedView } from './tables.ts'

/** Each view of a transaction feed has its own read position. */
export const viewOf = ({ environments }: Viewer): FeedView => {
  const [only] = environments
  return environments.length === 1 && only !== undefined ? only : 'all'
}
