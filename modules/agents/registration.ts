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

type Registration = Pick<FastifyInstance, 'agentOwners' | 'clock' | 'ledger' | 'secrets'>

/** The row and column that an encrypted key is bound to. */
const keyContext = (agentId: string): string => `agents.api_key:${agentId}`

/** The agent's key in plain text, for its owner; null when the agent is revoked. */
export const readAgentKey = (
  { secrets }: Pick<FastifyInstance, 'secrets'>,
  { agentId, encryptedKey }: Pick<Agent, 'agentId' | 'encryptedKey'>
): string | null => (encryptedKey === null ? null : secrets.decrypt(encryptedKey, keyContext(agentId)))

/** Mints the agent's key. @returns the key, and its encrypted form to store with the agent */
const mintAgentKey = async (
  app: Registration,
  trx: Trx,
  agent: Pick<Agent, 'agentId' | 'name'>,
  partnerId: string | null
): Promise<{ secret: string; encryptedKey: Buffer }> => {
  const { agentId, name } = agent
  const { secret } = await mintCredential(trx, { kind: 'agent_key', agentId, partnerId, name, now: app.clock.now() })
  return { secret, encryptedKey: app.secrets.encrypt(secret, keyContext(agentId)) }
}

const createAgent = async (
  app: Registration,
  trx: Trx,
  agentId: string,
  name: string,
  owner: SessionCaller | null
): Promise<string> => {
  const ownerPartnerId = owner?.partnerId ?? null
  const { secret, encryptedKey } = await mintAgentKey(app, trx, { agentId, name }, ownerPartnerId)
  await insertAgent(trx, {
    agentId,
    name,
    ownerUserId: owner?.userId ?? null,
    ownerPartnerId,
    encryptedKey,
    createdAt: app.clock.now()
  })
  if (owner === null) return secret
  await app.agentOwners.announce(trx, { agentId, ownerUserId: owner.userId, ownerPartnerId: owner.partnerId })
  await requireQuota(trx, 'agents', owner.userId, selectOwnedAgents(trx, owner.userId))
  return secret
}

const isInUse = async ({ ledger }: Registration, trx: Trx, agentId: string): Promise<boolean> =>
  (await ledger.history(trx, agentId, 1)).length > 0 ||
  (await hasApprovals(trx, agentId)) ||
  (await agentKeyUsed(trx, agentId))

/**
 * Makes the signed-in user the owner of an agent that has none. Unless `apiKey` proves the agent's key, the key is replaced, so that the previous
 * holder of the key cannot spend what the owner buys.
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
  const { userId: ownerUserId, partnerId: ownerPartnerId } = owner
  if (apiKey !== undefined) {
    const key = readAgentKey(app, agent)
    if (key === null || !sameSecret(apiKey, key)) throw claimNeedsKey(agentId, 'wrong_key')
    await updateAgent(trx, agentId, { ownerUserId, ownerPartnerId })
    await assignAgentKey(trx, agentId, ownerPartnerId)
  } else {
    if (await isInUse(app, trx, agentId)) throw claimNeedsKey(agentId, 'in_use')
    await revokeCredential(trx, { kind: 'agent_key', agentId }, app.clock.now())
    const { encryptedKey } = await mintAgentKey(app, trx, agent, ownerPartnerId)
    await updateAgent(trx, agentId, { ownerUserId, ownerPartnerId, encryptedKey })
  }
  await app.agentOwners.announce(trx, { agentId, ownerUserId, ownerPartnerId })
  await requireQuota(trx, 'agents', ownerUserId, selectOwnedAgents(trx, ownerUserId))
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
