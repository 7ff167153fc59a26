import type { Environment } from '../../plugins/access/caller.ts'
import type { FeedView } from './tables.ts'

/** Whose things are seen, and of which environments; every caller of these operations is one. */
export interface Viewer {
  partnerId: string
  environments: Environment[]
}

/** Each view of a feed has a place of its own where reading goes on. */
export const viewOf = ({ environments }: Viewer): FeedView => {
  const [only] = environments
  return environments.length === 1 && only !== undefined ? only : 'all'
}
