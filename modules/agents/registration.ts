import type { FastifyInstance } from 'fastify'
import { agentKeyUsed, assignAgentKey } from '../../plugins/access/agent-keys.ts'
import type { SessionCaller } from '../../plugins/access/caller.ts'
import { mintCredential, revokeCredential } from '../../plugins/access/credentials.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { sameSecret } from '../../plugins/access/secrets.ts'
import { claimNeedsKey } from './errors.ts'
import { insertAgent, lockAgent, updateAgent, type AgentRow } from './queries/agents.ts'
import { hasApprovals } from './queries/approvals.ts'

const contextOf = (agentId: string): string => `agents.api_key:${agentId}`

/** The agent's key, for its owner. */
export const readAgentKey = ({ secrets }: FastifyInstance, agent: AgentRow): string =>
  secrets.decrypt(agent.api_key, contextOf(agent.agent_id))

const createAgent = async (
  app: FastifyInstance,
  trx: Trx,
  agentId: string,
  name: string,
  owner: SessionCaller | null
): Promise<string> => {
  const now = app.clock.now()
  const { secret } = await mintCredential(trx, {
    kind: 'agent_key',
    agentId,
    partnerId: owner?.partnerId ?? null,
    name,
    now
  })
  await insertAgent(trx, {
    agentId,
    name,
    owner,
    apiKey: app.secrets.encrypt(secret, contextOf(agentId)),
    createdAt: now
  })
  return secret
}

const inUse = async (app: FastifyInstance, trx: Trx, agentId: string): Promise<boolean> =>
  (await app.ledger.history(trx, agentId, 1)).length > 0 ||
  (await hasApprovals(trx, agentId)) ||
  (await agentKeyUsed(trx, agentId))

/**
 * Makes the signed-in user the owner of an agent that has none.
 * @throws ProblemError 403 `claim_needs_key` when the agent is in use and `apiKey` is not its key.
 */
export const claimAgent = async (
  app: FastifyInstance,
  trx: Trx,
  agent: AgentRow,
  owner: SessionCaller,
  apiKey: string | undefined
): Promise<void> => {
  const proven = apiKey !== undefined && sameSecret(apiKey, readAgentKey(app, agent))
  if (!proven && (apiKey !== undefined || (await inUse(app, trx, agent.agent_id)))) {
    throw claimNeedsKey(
      apiKey === undefined
        ? 'This agent is in use already. Send its key as `api_key` to claim it.'
        : 'The `api_key` is not the key of this agent.'
    )
  }
  await updateAgent(trx, agent.agent_id, { owner_user_id: owner.userId, owner_partner_id: owner.partnerId })
  await assignAgentKey(trx, agent.agent_id, owner.partnerId)
}

/**
 * Finds the agent and locks it, or makes it with an empty wallet and a key; of many at once one makes it.
 * @returns the agent that was there, or the key of the new one.
 */
export const findOrCreateAgent = async (
  app: FastifyInstance,
  trx: Trx,
  agentId: string,
  name: string | undefined,
  owner: SessionCaller | null
): Promise<{ agent: AgentRow } | { agent?: never; apiKey: string }> => {
  const known = await lockAgent(trx, agentId)
  if (known !== undefined) return { agent: known }
  // Opening the wallet waits for anybody who is making the same agent at this moment.
  await app.ledger.openWallet(trx, agentId)
  const meanwhile = await lockAgent(trx, agentId)
  if (meanwhile !== undefined) return { agent: meanwhile }
  return { apiKey: await createAgent(app, trx, agentId, name ?? agentId, owner) }
}

/** Replaces the agent's key by one that opens nothing either, so that no copy of any key of a revoked agent is of use. */
export const voidAgentKey = async (app: FastifyInstance, trx: Trx, agent: AgentRow): Promise<Buffer> => {
  const now = app.clock.now()
  const { agent_id: agentId, owner_partner_id: partnerId, name } = agent
  await revokeCredential(trx, { kind: 'agent_key', agentId }, now)
  const { secret } = await mintCredential(trx, { kind: 'agent_key', agentId, partnerId, name, now })
  await revokeCredential(trx, { kind: 'agent_key', agentId }, now)
  return app.secrets.encrypt(secret, contextOf(agentId))
}
