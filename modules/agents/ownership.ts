import type { SessionCaller } from '../../plugins/access/caller.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { agentNotFound, notOwner } from './errors.ts'
import { findAgent, lockAgent, type Agent } from './queries/agents.ts'

type Owner = Pick<SessionCaller, 'userId'>

const requireOwn = (agent: Agent | undefined, agentId: string, { userId }: Owner): Agent => {
  if (agent === undefined) throw agentNotFound(agentId)
  if (agent.ownerUserId !== userId) throw notOwner(agentId)
  return agent
}

/** An agent of the signed-in user. @throws ProblemError 404 `agent_not_found`, 403 `not_owner` */
export const findOwnAgent = async (db: Db, agentId: string, owner: Owner): Promise<Agent> =>
  requireOwn(await findAgent(db, agentId), agentId, owner)

/** Locks an agent of the signed-in user. @throws ProblemError 404 `agent_not_found`, 403 `not_owner` */
export const lockOwnAgent = async (trx: Trx, agentId: string, owner: Owner): Promise<Agent> =>
  requireOwn(await lockAgent(trx, agentId), agentId, owner)
