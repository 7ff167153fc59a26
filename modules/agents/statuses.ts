import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { fromCents } from '../../plugins/money.ts'
import { updateAgent, type Agent, type AgentChanges } from './queries/agents.ts'
import type { AgentStatus } from './tables.ts'

const eventTypes = { active: 'agent.resumed', paused: 'agent.paused', revoked: 'agent.revoked' } as const

/** Changes the agent's status, with other fields, and publishes the change. */
export const setStatus = async (
  { outbox }: Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  agent: Agent,
  status: AgentStatus,
  changes: AgentChanges = {}
): Promise<void> => {
  const { agentId, ownerPartnerId: partnerId } = agent
  await updateAgent(trx, agentId, { pauseReason: null, ...changes, status })
  if (status === agent.status || partnerId === null) return
  await outbox.publish(trx, [{ partnerId, type: eventTypes[status], data: { agent_id: agentId } }])
}

/**
 * Stores what the agent owes for reversed payments, in hundredths of a credit. An agent that owes is paused and its owner notified. It resumes when it owes
 * nothing, unless its owner has paused it too.
 */
export const setOwed = async (
  app: Pick<FastifyInstance, 'notifications' | 'outbox'>,
  trx: Trx,
  agent: Agent,
  owedCents: number
): Promise<void> => {
  const { agentId, name, ownerUserId, status } = agent
  if (owedCents === agent.owedCents) return
  if (owedCents === 0 && agent.pauseReason === 'debt') return await setStatus(app, trx, agent, 'active', { owedCents })
  if (status !== 'active') return await updateAgent(trx, agentId, { owedCents })
  await setStatus(app, trx, agent, 'paused', { owedCents, pauseReason: 'debt' })
  if (ownerUserId === null) return
  const owed = fromCents(owedCents)
  await app.notifications.notify(trx, {
    userId: ownerUserId,
    type: eventTypes.paused,
    message: `${name} owes ${owed} credits after a refund or a dispute and is paused. Buy credits to settle this; the agent then resumes.`,
    data: { agent_id: agentId, owed }
  })
}
