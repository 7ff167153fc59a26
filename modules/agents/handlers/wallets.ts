import type { FastifyInstance } from 'fastify'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { fromCents } from '../../../plugins/money.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { showRecent, showTransaction } from '../answers.ts'
import { noSuchAgent, notYours } from '../errors.ts'
import { findAgent } from '../queries/agents.ts'
import { claimAgent, findOrCreateAgent, readAgentKey } from '../registration.ts'

type WalletHandlers = Pick<
  Handlers<typeof operations>,
  'registerAgent' | 'getBalance' | 'getStatus' | 'listAgentTransactions'
>

export const walletHandlers = (app: FastifyInstance): WalletHandlers => ({
  async registerAgent({ body, caller, db }) {
    const { agent_id: agentId } = body
    const found = await findOrCreateAgent(app, db, agentId, body.name, caller)
    if (found.agent === undefined)
      return answer(201, { ok: true, agent_id: agentId, api_key: found.apiKey, message: 'registered' })
    const claimed = caller !== null && found.agent.owner_user_id === null
    if (claimed) await claimAgent(app, db, found.agent, caller, body.api_key)
    return answer(200, { ok: true, agent_id: agentId, message: 'already registered', claimed })
  },

  async getBalance({ query, db }) {
    const agent = await findAgent(db, query.agent_id)
    if (agent === undefined) throw noSuchAgent()
    const balance = fromCents((await app.ledger.balance(db, agent.agent_id)) ?? 0)
    const recent = await app.ledger.history(db, agent.agent_id, 10)
    return {
      agent: { agent_id: agent.agent_id, name: agent.name, balance, is_verified: agent.is_verified },
      recent_transactions: recent.map(showRecent)
    }
  },

  async getStatus({ query, caller, db }) {
    const agent = await findAgent(db, query.agent_id)
    if (agent === undefined) return { exists: false }
    const isOwner = caller !== null && caller.userId === agent.owner_user_id
    const balance = fromCents((await app.ledger.balance(db, agent.agent_id)) ?? 0)
    const recent = await app.ledger.history(db, agent.agent_id, 5)
    return {
      exists: true,
      is_owner: isOwner,
      agent: {
        agent_id: agent.agent_id,
        name: agent.name,
        balance,
        status: agent.status,
        ...(isOwner ? { api_key: readAgentKey(app, agent) } : {})
      },
      recent_transactions: recent.map(showRecent)
    }
  },

  async listAgentTransactions({ params, query, caller, db }) {
    const agent = await findAgent(db, params.agent_id)
    if (agent === undefined) throw noSuchAgent()
    const mine = caller.kind === 'agent_key' ? caller.agentId === agent.agent_id : caller.userId === agent.owner_user_id
    if (!mine) throw notYours()
    const list = `transactions of ${agent.agent_id}`
    const history = await app.ledger.history(
      db,
      agent.agent_id,
      query.limit + 1,
      readPosition(app.cursors, list, query.cursor)
    )
    const { rows, nextCursor } = pageOf(history, query.limit, (last) => app.cursors.encode(list, [last.id]))
    return { transactions: rows.map(showTransaction), next_cursor: nextCursor, has_more: nextCursor !== null }
  }
})
