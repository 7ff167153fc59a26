import type { FastifyInstance } from 'fastify'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { fromCents } from '../../../plugins/money.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { agentNotFound, notOwner } from '../errors.ts'
import { findAgent } from '../queries/agents.ts'
import { claimAgent, findOrCreateAgent, readAgentKey } from '../registration.ts'
import { toRecentTransaction, toTransaction } from '../wire.ts'

export const walletHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'registerAgent' | 'getBalance' | 'getStatus' | 'listAgentTransactions'> => ({
  async registerAgent({ body, caller, db }) {
    const { agent_id: agentId } = body
    const found = await findOrCreateAgent(app, db, agentId, body.name, caller)
    if (found.agent === undefined)
      return answer(201, { ok: true, agent_id: agentId, api_key: found.apiKey, message: 'registered' })
    const claimed = caller !== null && found.agent.ownerUserId === null
    if (claimed) await claimAgent(app, db, found.agent, caller, body.api_key)
    return answer(200, { ok: true, agent_id: agentId, message: 'already registered', claimed })
  },

  async getBalance({ query, db }) {
    const agent = await findAgent(db, query.agent_id)
    if (agent === undefined) throw agentNotFound(query.agent_id)
    const balance = fromCents((await app.ledger.balance(db, agent.agentId)) ?? 0)
    const recent = await app.ledger.history(db, agent.agentId, 10)
    return {
      agent: { agent_id: agent.agentId, name: agent.name, balance, is_verified: agent.isVerified },
      recent_transactions: recent.map(toRecentTransaction)
    }
  },

  async getStatus({ query, caller, db }) {
    const agent = await findAgent(db, query.agent_id)
    if (agent === undefined) return { exists: false }
    const isOwner = caller !== null && caller.userId === agent.ownerUserId
    const balance = fromCents((await app.ledger.balance(db, agent.agentId)) ?? 0)
    const recent = await app.ledger.history(db, agent.agentId, 5)
    return {
      exists: true,
      is_owner: isOwner,
      agent: {
        agent_id: agent.agentId,
        name: agent.name,
        balance,
        status: agent.status,
        ...(isOwner ? { api_key: readAgentKey(app, agent) } : {})
      },
      recent_transactions: recent.map(toRecentTransaction)
    }
  },

  async listAgentTransactions({ params, query, caller, db }) {
    const agent = await findAgent(db, params.agent_id)
    if (agent === undefined) throw agentNotFound(params.agent_id)
    const isOwn = caller.kind === 'agent_key' ? caller.agentId === agent.agentId : caller.userId === agent.ownerUserId
    if (!isOwn) throw notOwner(agent.agentId)
    const list = `transactions of ${agent.agentId}`
    const before = readPosition(app.cursors, list, query.cursor)
    const history = await app.ledger.history(db, agent.agentId, query.limit + 1, before)
    const { rows, nextCursor } = pageOf(history, query.limit, (last) => app.cursors.encode(list, [last.transactionId]))
    return { transactions: rows.map(toTransaction), next_cursor: nextCursor, has_more: nextCursor !== null }
  }
})
