import type { FastifyInstance } from 'fastify'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { fromCents, toCents } from '../../../plugins/money.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { pageOf, showRecent, showTransaction } from '../answers.ts'
import { holdsTooLittle, isPaused, isRevoked, noSuchAgent, notYours } from '../errors.ts'
import { findAgent, spend, type Spend, type SpendOutcome } from '../queries/agents.ts'
import { claimAgent, findOrCreateAgent, readAgentKey } from '../registration.ts'
import type { Trx } from '../../../plugins/database/types.ts'

const approvalLifetimeMs = 24 * 3_600_000

type WalletHandlers = Pick<Handlers<typeof operations>, 'registerAgent' | 'getBalance' | 'getStatus' | 'spendCredits' | 'listAgentTransactions'>

/** Tells the owner that the agent asks; an agent without an owner waits until somebody claims it. */
const tellOwner = async (app: FastifyInstance, trx: Trx, wish: Spend, outcome: SpendOutcome): Promise<void> => {
  if (outcome.owner_user_id === null || outcome.owner_partner_id === null) return
  const data = { agent_id: wish.agentId, approval_id: outcome.approval_id, amount: fromCents(wish.amountCents), item_name: wish.itemName, url: wish.url }
  const what = wish.itemName ?? wish.description
  await app.notifications.notify(trx, {
    userId: outcome.owner_user_id,
    type: 'agent.approval_requested',
    message: `${outcome.agent_name} asks to spend ${fromCents(wish.amountCents)} credits: ${what}`,
    data
  })
  await app.outbox.publish(trx, [{ partnerId: outcome.owner_partner_id, type: 'agent.approval_requested', data }])
}

const tellOfSpend = async (app: FastifyInstance, trx: Trx, wish: Spend, outcome: SpendOutcome): Promise<void> => {
  if (outcome.owner_partner_id === null) return
  const data = {
    agent_id: wish.agentId,
    transaction_id: outcome.transaction_id,
    amount: fromCents(wish.amountCents),
    balance: fromCents(outcome.balance_cents),
    description: wish.description
  }
  await app.outbox.publish(trx, [{ partnerId: outcome.owner_partner_id, type: 'agent.spend', data }])
}

const carryOutSpend = async (app: FastifyInstance, trx: Trx, wish: Spend) => {
  const now = app.clock.now()
  const outcome = await spend(trx, wish, now, new Date(now.getTime() + approvalLifetimeMs))
  switch (outcome.outcome) {
    case 'posted':
      await tellOfSpend(app, trx, wish, outcome)
      return { ok: true, spent: fromCents(wish.amountCents), balance: fromCents(outcome.balance_cents), transaction_id: outcome.transaction_id }
    case 'pending':
      await tellOwner(app, trx, wish, outcome)
      return { ok: false, pending: true, approval_id: outcome.approval_id, message: 'Approval request submitted. Awaiting owner approval.' }
    case 'insufficient':
      throw holdsTooLittle(outcome.balance_cents, wish.amountCents)
    case 'paused':
      throw isPaused()
    case 'revoked':
      throw isRevoked()
    default:
      throw new Error(`A spend ended as ${outcome.outcome}.`)
  }
}

export const walletHandlers = (app: FastifyInstance): WalletHandlers => ({
  async registerAgent({ body, caller, db }) {
    const { agent_id: agentId } = body
    const found = await findOrCreateAgent(app, db, agentId, body.name, caller)
    if (found.agent === undefined) return answer(201, { ok: true, agent_id: agentId, api_key: found.apiKey, message: 'registered' })
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
      agent: { agent_id: agent.agent_id, name: agent.name, balance, status: agent.status, ...(isOwner ? { api_key: readAgentKey(app, agent) } : {}) },
      recent_transactions: recent.map(showRecent)
    }
  },

  async spendCredits({ body, caller, db }) {
    const itemName = body.item_name ?? null
    const description = body.description ?? itemName ?? 'Spend'
    const wish = { agentId: caller.agentId, amountCents: toCents(body.amount), description, itemName, url: body.url ?? null }
    return await carryOutSpend(app, db, { ...wish, requireApproval: body.require_approval })
  },

  async listAgentTransactions({ params, query, caller, db }) {
    const agent = await findAgent(db, params.agent_id)
    if (agent === undefined) throw noSuchAgent()
    const mine = caller.kind === 'agent_key' ? caller.agentId === agent.agent_id : caller.userId === agent.owner_user_id
    if (!mine) throw notYours()
    const list = `transactions of ${agent.agent_id}`
    const [beforeId] = query.cursor === undefined ? [] : app.cursors.decode(list, query.cursor)
    const history = await app.ledger.history(db, agent.agent_id, query.limit + 1, beforeId === undefined ? undefined : Number(beforeId))
    const { rows, last } = pageOf(history, query.limit)
    return { transactions: rows.map(showTransaction), next_cursor: last === undefined ? null : app.cursors.encode(list, [last.id]), has_more: last !== undefined }
  }
})
