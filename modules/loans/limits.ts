export interface LendingLimits {
  mostOutstandingCents: number | undefined
  mostPerOwnerCents: number | undefined
}

/** What is owed from unpaid loans, in cents. */
export interface Owed {
  /** By all agents. */
  allCents: number
  /** By the agents of the borrower's owner; of a borrower without an owner, by all loans that were taken without one. */
  groupCents: number
}

export interface ReachedLimit {
  limit: 'all_agents' | 'owner' | 'agents_without_owner'
  maximumCents: number
  /** What can still be lent under this limit. */
  availableCents: number
}

/** The first limit that another loan would exceed; undefined when none would be. */
export const reachedLimit = (
  { mostOutstandingCents = Infinity, mostPerOwnerCents = Infinity }: LendingLimits,
  { allCents, groupCents }: Owed,
  hasOwner: boolean,
  amountCents: number
): ReachedLimit | undefined => {
  const limits: [ReachedLimit['limit'], maximumCents: number, owedCents: number][] = [
    [hasOwner ? 'owner' : 'agents_without_owner', mostPerOwnerCents, groupCents],
    ['all_agents', mostOutstandingCents, allCents]
  ]
  const reached = limits.find(([, maximumCents, owedCents]) => owedCents + amountCents > maximumCents)
  if (reached === undefined) return undefined
  const [limit, maximumCents, owedCents] = reached
  return { limit, maximumCents, availableCents: Math.max(0, maximumCents - owedCents) }
}
