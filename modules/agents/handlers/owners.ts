import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import { revokeCredential } from '../../../plugins/access/credentials.ts'
import { afterCommit } from '../../../plugins/database/transaction.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { agentOwes, agentRevoked } from '../errors.ts'
import { lockOwnAgent } from '../ownership.ts'
import { listAgentsOf, updateAgent, type Agent } from '../queries/agents.ts'
import { setStatus } from '../statuses.ts'
import { toAgent, toLimits } from '../wire.ts'

/** The new limit: an omitted field keeps the present limit, null removes it. */
const changedLimit = (limit: number | null | undefined, presentCents: number | null): number | null => {
  if (limit === undefined) return presentCents
  return limit === null ? null : toCents(limit)
}

export const ownerHandlers = (
  app: FastifyInstance,
  requestClosing: () => void
): Pick<Handlers<typeof operations>, 'pauseAgent' | 'resumeAgent' | 'revokeAgent' | 'setLimits' | 'listAgents'> => {
  /** @throws ProblemError 409 `agent_revoked` */
  const lockUsable = async (trx: Trx, agentId: string, caller: SessionCaller): Promise<Agent> => {
    const agent = await lockOwnAgent(trx, agentId, caller)
    if (agent.status === 'revoked') throw agentRevoked(agentId)
    return agent
  }
  return {
    async pauseAgent({ params, caller, db }) {
      const agent = await lockUsable(db, params.agent_id, caller)
      if (agent.pauseReason !== 'owner') await setStatus(app, db, agent, 'paused', { pauseReason: 'owner' })
      return { ok: true, status: 'paused' }
    },

    async resumeAgent({ params, caller, db }) {
      const agent = await lockUsable(db, params.agent_id, caller)
      if (agent.owedCents > 0) throw agentOwes(agent.agentId, agent.owedCents)
      if (agent.status !== 'active') await setStatus(app, db, agent, 'active')
      return { ok: true, status: 'active' }
    },

    async revokeAgent({ params, caller, db }) {
      const agent = await lockOwnAgent(db, params.agent_id, caller)
      if (agent.status === 'revoked') return { ok: true, status: 'revoked' }
      await revokeCredential(db, { kind: 'agent_key', agentId: agent.agentId }, app.clock.now())
      await setStatus(app, db, agent, 'revoked', { encryptedKey: null })
      afterCommit(db, requestClosing)
      return { ok: true, status: 'revoked' }
    },

    async setLimits({ params, body, caller, db }) {
      const agent = await lockUsable(db, params.agent_id, caller)
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
      const balances = await app.ledger.balances(
        db,
        rows.map(({ agentId }) => agentId)
      )
      return {
        agents: rows.map((agent) => toAgent(agent, balances.get(agent.agentId) ?? 0)),
        next_cursor: nextCursor,
        has_more: nextCursor !== null
      }
    }
  }
}
