import type { Environment } from '../../plugins/access/caller.ts'
import type { FeedView } from './tables.ts'

/** The partner and environments whose data a caller sees. */
export interface Viewer {
  partnerId: string
  environments: Environment[]
}

/** Each view of a transaction feed has its own read position. */
export const viewOf = ({ environments }: Viewer): FeedView => {
  const [only] = environments
  return environments.length === 1 && only !== undefined ? only : 'all'
}
