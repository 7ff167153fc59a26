import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { showAgent, showLimits } from '../answers.ts'
import { isRevoked, noSuchAgent, notYours } from '../errors.ts'
import { listAgentsOf, lockAgent, updateAgent, type AgentRow } from '../queries/agents.ts'
import { sumOwed } from '../queries/payments.ts'
import { voidAgentKey } from '../registration.ts'
import type { AgentStatus } from '../tables.ts'

type OwnerHandlers = Pick<
  Handlers<typeof operations>,
  'pauseAgent' | 'resumeAgent' | 'revokeAgent' | 'setLimits' | 'listAgents'
>

const lockOwnAgent = async (trx: Trx, agentId: string, caller: SessionCaller): Promise<AgentRow> => {
  const agent = await lockAgent(trx, agentId)
  if (agent === undefined) throw noSuchAgent()
  if (agent.owner_user_id !== caller.userId) throw notYours()
  return agent
}

const eventOf = { active: 'agent.resumed', paused: 'agent.paused', revoked: 'agent.revoked' } as const

/** Brings an agent into a state and tells of it; one that is there already stays as it is. */
const bringTo = async (
  app: FastifyInstance,
  trx: Trx,
  agent: AgentRow,
  status: AgentStatus,
  changes: { api_key?: Buffer } = {}
): Promise<void> => {
  await updateAgent(trx, agent.agent_id, { status, ...changes })
  if (agent.owner_partner_id === null) return
  await app.outbox.publish(trx, [
    { partnerId: agent.owner_partner_id, type: eventOf[status], data: { agent_id: agent.agent_id } }
  ])
}

/** The limit as it shall be: as it was when the field is left out, none for null. */
const changedLimit = (wish: number | null | undefined, beforeCents: number | null): number | null => {
  if (wish === undefined) return beforeCents
  return wish === null ? null : toCents(wish)
}

export const ownerHandlers = (app: FastifyInstance): OwnerHandlers => {
  const switchTo = async (trx: Trx, agentId: string, caller: SessionCaller, status: 'active' | 'paused') => {
    const agent = await lockOwnAgent(trx, agentId, caller)
    if (agent.status === 'revoked') throw isRevoked()
    if (agent.status !== status) await bringTo(app, trx, agent, status)
    return { ok: true as const, status }
  }
  return {
    pauseAgent: async ({ params, caller, db }) => await switchTo(db, params.agent_id, caller, 'paused'),

    resumeAgent: async ({ params, caller, db }) => await switchTo(db, params.agent_id, caller, 'active'),

    async revokeAgent({ params, caller, db }) {
      const agent = await lockOwnAgent(db, params.agent_id, caller)
      if (agent.status !== 'revoked')
        await bringTo(app, db, agent, 'revoked', { api_key: await voidAgentKey(app, db, agent) })
      return { ok: true, status: 'revoked' }
    },

    async setLimits({ params, body, caller, db }) {
      const agent = await lockOwnAgent(db, params.agent_id, caller)
      if (agent.status === 'revoked') throw isRevoked()
      const limits = {
        daily_limit_cents: changedLimit(body.daily_limit, agent.daily_limit_cents),
        per_transaction_limit_cents: changedLimit(body.per_transaction_limit, agent.per_transaction_limit_cents)
      }
      await updateAgent(db, agent.agent_id, limits)
      return { ok: true, agent_id: agent.agent_id, ...showLimits(limits) }
    },

    async listAgents({ query, caller, db }) {
      const found = await listAgentsOf(
        db,
        caller.userId,
        query.limit + 1,
        readTimePosition(app.cursors, 'agents', query.cursor)
      )
      const { rows, nextCursor } = pageOf(found, query.limit, (last) =>
        app.cursors.encode('agents', [last.created_at.getTime(), last.agent_id])
      )
      const ids = rows.map((agent) => agent.agent_id)
      const balances = await app.ledger.balances(db, ids)
      const owed = await sumOwed(db, ids)
      return {
        agents: rows.map((agent) => showAgent(agent, balances.get(agent.agent_id) ?? 0, owed.get(agent.agent_id) ?? 0)),
        next_cursor: nextCursor,
        has_more: nextCursor !== null
      }
    }
  }
}
