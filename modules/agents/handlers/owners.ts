import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { agentNotFound, agentRevoked, notOwner } from '../errors.ts'
import { listAgentsOf, lockAgent, updateAgent, type Agent } from '../queries/agents.ts'
import { sumOwed } from '../queries/topups.ts'
import { voidAgentKey } from '../registration.ts'
import type { AgentStatus } from '../tables.ts'
import { toAgent, toLimits } from '../wire.ts'

/** @throws ProblemError 404 `agent_not_found`, 403 `not_owner` */
const lockOwnAgent = async (trx: Trx, agentId: string, caller: SessionCaller): Promise<Agent> => {
  const agent = await lockAgent(trx, agentId)
  if (agent === undefined) throw agentNotFound(agentId)
  if (agent.ownerUserId !== caller.userId) throw notOwner(agentId)
  return agent
}

const eventTypes = { active: 'agent.resumed', paused: 'agent.paused', revoked: 'agent.revoked' } as const

/** Changes the agent's status and publishes the change. */
const setStatus = async (
  { outbox }: Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  { agentId, ownerPartnerId: partnerId }: Agent,
  status: AgentStatus,
  encryptedKey?: Buffer
): Promise<void> => {
  await updateAgent(trx, agentId, { status, encryptedKey })
  if (partnerId === null) return
  await outbox.publish(trx, [{ partnerId, type: eventTypes[status], data: { agent_id: agentId } }])
}

/** The new limit: an omitted field keeps the present limit, null removes it. */
const changedLimit = (limit: number | null | undefined, presentCents: number | null): number | null => {
  if (limit === undefined) return presentCents
  return limit === null ? null : toCents(limit)
}

export const ownerHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'pauseAgent' | 'resumeAgent' | 'revokeAgent' | 'setLimits' | 'listAgents'> => {
  const switchTo = async (trx: Trx, agentId: string, caller: SessionCaller, status: 'active' | 'paused') => {
    const agent = await lockOwnAgent(trx, agentId, caller)
    if (agent.status === 'revoked') throw agentRevoked(agentId)
    if (agent.status !== status) await setStatus(app, trx, agent, status)
    return { ok: true as const, status }
  }
  return {
    pauseAgent: async ({ params, caller, db }) => await switchTo(db, params.agent_id, caller, 'paused'),

    resumeAgent: async ({ params, caller, db }) => await switchTo(db, params.agent_id, caller, 'active'),

    async revokeAgent({ params, caller, db }) {
      const agent = await lockOwnAgent(db, params.agent_id, caller)
      if (agent.status !== 'revoked') await setStatus(app, db, agent, 'revoked', await voidAgentKey(app, db, agent))
      return { ok: true, status: 'revoked' }
    },

    async setLimits({ params, body, caller, db }) {
      const agent = await lockOwnAgent(db, params.agent_id, caller)
      if (agent.status === 'revoked') throw agentRevoked(agent.agentId)
      const limits = {
        dailyLimitCents: changedLimit(body.daily_limit, agent.dailyLimitCents),
        perTransactionLimitCents: changedLimit(body.per_transaction_limit, agent.perTransactionLimitCents)
      }
      await updateAgent(db, agent.agentId, limits)
      return { ok: true, agent_id: agent.agentId, ...toLimits(limits) }
    },

    async listAgents({ query, caller, db }) {
      const position = readTimePosition(app.cursors, 'agents', query.cursor)
      const found = await listAgentsOf(db, caller.userId, query.limit + 1, position)
      const { rows, nextCursor } = pageOf(found, query.limit, (last) =>
        app.cursors.encode('agents', [last.createdAt.getTime(), last.agentId])
      )
      const ids = rows.map(({ agentId }) => agentId)
      const balances = await app.ledger.balances(db, ids)
      const owed = await sumOwed(db, ids)
      return {
        agents: rows.map((agent) => toAgent(agent, balances.get(agent.agentId) ?? 0, owed.get(agent.agentId) ?? 0)),
        next_cursor: nextCursor,
        has_more: nextCursor !== null
      }
    }
  }
}
