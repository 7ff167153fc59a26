import { sql } from 'kysely'
import { invalidFields } from '../http/errors/kinds.ts'
import type { Environment, PartnerCaller, SessionCaller, TokenCaller } from './caller.ts'

/** The partner and environments whose data a caller sees. */
export interface Viewer {
  partnerId: string
  environments: Environment[]
}

/** What is kept apart for viewers of one environment and of both. */
export type View = Environment | 'all'

export const viewOf = ({ environments }: Viewer): View => {
  const [only] = environments
  return environments.length === 1 && only !== undefined ? only : 'all'
}

/** Whether a row belongs to the partner and to an environment of the viewer. */
export const isVisibleTo = ({ partnerId, environments }: Viewer) =>
  sql<boolean>`partner_id = ${partnerId} and environment = any(${environments}::text[])`

/**
 * Narrows a caller's view to the environment that a list was asked for. The view is empty when the caller cannot read that environment, so the list is
 * empty, too.
 */
export const viewOfList = ({ partnerId, environments }: Viewer, wanted: Environment | undefined): Viewer => ({
  partnerId,
  environments: environments.filter((environment) => wanted === undefined || environment === wanted)
})

/**
 * The environment of a new resource: the credential's own, or the one that a session asks for.
 * @throws ProblemError 400 when a credential asks for another environment than its own.
 */
export const environmentOfNew = (
  caller: PartnerCaller | TokenCaller | SessionCaller,
  wanted: Environment | undefined
): Environment => {
  const environment = wanted ?? caller.environment
  if (!caller.environments.includes(environment)) {
    throw invalidFields([
      { path: 'body/environment', message: `must be ${caller.environment}, the environment of this credential` }
    ])
  }
  return environment
}
