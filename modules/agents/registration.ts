import type { FastifyInstance } from 'fastify'
import { agentKeyUsed, assignAgentKey } from '../../plugins/access/agent-keys.ts'
import type { SessionCaller } from '../../plugins/access/caller.ts'
import { mintCredential, revokeCredential } from '../../plugins/access/credentials.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { sameSecret } from '../../plugins/access/secrets.ts'
import { requireQuota } from '../../plugins/quotas.ts'
import { claimNeedsKey } from './errors.ts'
import { insertAgent, lockAgent, selectOwnedAgents, updateAgent, type Agent } from './queries/agents.ts'
import { hasApprovals } from './queries/approvals.ts'

type Registration = Pick<FastifyInstance, 'clock' | 'ledger' | 'secrets'>

/** The row and column that an encrypted key is bound to. */
const keyContext = (agentId: string): string => `agents.api_key:${agentId}`

/** The agent's key in plain text, for its owner. */
export const readAgentKey = ({ secrets }: Pick<FastifyInstance, 'secrets'>, agent: Agent): string =>
  secrets.decrypt(agent.encryptedKey, keyContext(agent.agentId))

const createAgent = async (
  app: Registration,
  trx: Trx,
  agentId: string,
  name: string,
  owner: SessionCaller | null
): Promise<string> => {
  const now = app.clock.now()
  const partnerId = owner?.partnerId ?? null
  const { secret } = await mintCredential(trx, { kind: 'agent_key', agentId, partnerId, name, now })
  await insertAgent(trx, {
    agentId,
    name,
    ownerUserId: owner?.userId ?? null,
    ownerPartnerId: partnerId,
    encryptedKey: app.secrets.encrypt(secret, keyContext(agentId)),
    createdAt: now
  })
  if (owner !== null) await requireQuota(trx, 'agents', owner.userId, selectOwnedAgents(trx, owner.userId))
  return secret
}

const isInUse = async ({ ledger }: Registration, trx: Trx, agentId: string): Promise<boolean> =>
  (await ledger.history(trx, agentId, 1)).length > 0 ||
  (await hasApprovals(trx, agentId)) ||
  (await agentKeyUsed(trx, agentId))

/**
 * Makes the signed-in user the owner of an agent that has none.
 * @throws ProblemError 403 `claim_needs_key` when `apiKey` is not the agent's key, or is missing although the agent is in use
 */
export const claimAgent = async (
  app: Registration,
  trx: Trx,
  agent: Agent,
  owner: SessionCaller,
  apiKey: string | undefined
): Promise<void> => {
  const { agentId } = agent
  if (apiKey !== undefined && !sameSecret(apiKey, readAgentKey(app, agent))) throw claimNeedsKey(agentId, 'wrong')
  if (apiKey === undefined && (await isInUse(app, trx, agentId))) throw claimNeedsKey(agentId, 'missing')
  await updateAgent(trx, agentId, { ownerUserId: owner.userId, ownerPartnerId: owner.partnerId })
  await assignAgentKey(trx, agentId, owner.partnerId)
  await requireQuota(trx, 'agents', owner.userId, selectOwnedAgents(trx, owner.userId))
}

/**
 * Finds and locks the agent, or creates it with an empty wallet and a key; of concurrent calls exactly one creates it.
 * @returns the existing agent, or the key of the new one
 */
export const findOrCreateAgent = async (
  app: Registration,
  trx: Trx,
  agentId: string,
  name: string | undefined,
  owner: SessionCaller | null
): Promise<{ agent: Agent } | { agent?: never; apiKey: string }> => {
  const known = await lockAgent(trx, agentId)
  if (known !== undefined) return { agent: known }
  // Opening the wallet waits for a concurrent transaction that creates the same agent.
  await app.ledger.openWallet(trx, agentId)
  const meanwhile = await lockAgent(trx, agentId)
  if (meanwhile !== undefined) return { agent: meanwhile }
  return { apiKey: await createAgent(app, trx, agentId, name ?? agentId, owner) }
}

/** Replaces a revoked agent's key by another revoked key, so that neither the old key nor the stored one grants access. */
export const voidAgentKey = async (app: Registration, trx: Trx, agent: Agent): Promise<Buffer> => {
  const now = app.clock.now()
  const { agentId, ownerPartnerId: partnerId, name } = agent
  await revokeCredential(trx, { kind: 'agent_key', agentId }, now)
  const { secret } = await mintCredential(trx, { kind: 'agent_key', agentId, partnerId, name, now })
  await revokeCredential(trx, { kind: 'agent_key', agentId }, now)
  return app.secrets.encrypt(secret, keyContext(agentId))
}
