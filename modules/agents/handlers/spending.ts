import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../../plugins/database/types.ts'
import type { ProblemError } from '../../../plugins/http/errors/problem.ts'
import { fromCents, toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { agentPaused, agentRevoked, insufficientBalance, tooManyPending } from '../errors.ts'
import { spend, type Spend, type SpendOutcome } from '../queries/spends.ts'
import { toSpend } from '../wire.ts'

const approvalLifetimeMs = 24 * 3_600_000

/** The problem of a spend that was refused. */
const refusalOf = ({ outcome, balance_cents: balanceCents }: SpendOutcome, wish: Spend): ProblemError => {
  switch (outcome) {
    case 'insufficient':
      return insufficientBalance(balanceCents, wish.amountCents)
    case 'too_many_pending':
      return tooManyPending()
    case 'paused':
      return agentPaused(wish.agentId)
    case 'revoked':
      return agentRevoked(wish.agentId)
    default:
      throw new Error(`agent_spend returned the outcome ${outcome}.`)
  }
}

/** Notifies the owner of an approval request. The request of an agent without an owner waits until the agent is claimed. */
const requestApproval = async (app: FastifyInstance, trx: Trx, wish: Spend, outcome: SpendOutcome): Promise<void> => {
  if (outcome.owner_user_id === null || outcome.owner_partner_id === null) return
  const data = {
    agent_id: wish.agentId,
    approval_id: outcome.approval_id,
    amount: fromCents(wish.amountCents),
    item_name: wish.itemName,
    url: wish.url
  }
  const what = wish.itemName ?? wish.description
  await app.notifications.notify(trx, {
    userId: outcome.owner_user_id,
    type: 'agent.approval_requested',
    message: `${outcome.agent_name} asks to spend ${fromCents(wish.amountCents)} credits: ${what}`,
    text: `An agent asks you to approve a spend (request ${outcome.approval_id}). Sign in to AtlasForge to decide.`,
    data
  })
  await app.outbox.publish(trx, [{ partnerId: outcome.owner_partner_id, type: 'agent.approval_requested', data }])
}

const publishSpend = async (app: FastifyInstance, trx: Trx, wish: Spend, outcome: SpendOutcome): Promise<void> => {
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

export const spendingHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'spendCredits'> => ({
  async spendCredits({ body, caller, db }) {
    const itemName = body.item_name ?? null
    const wish: Spend = {
      agentId: caller.agentId,
      amountCents: toCents(body.amount),
      description: body.description ?? itemName ?? 'Spend',
      requireApproval: body.require_approval,
      itemName,
      url: body.url ?? null
    }
    const now = app.clock.now()
    const outcome = await spend(db, wish, now, new Date(now.getTime() + approvalLifetimeMs))
    switch (outcome.outcome) {
      case 'posted':
        await publishSpend(app, db, wish, outcome)
        return toSpend(outcome.transaction_id, wish.amountCents, outcome.balance_cents)
      case 'pending':
        await requestApproval(app, db, wish, outcome)
        return {
          ok: false,
          pending: true,
          approval_id: outcome.approval_id,
          message: 'Approval request submitted. Awaiting owner approval.'
        }
      default:
        // Returned and not thrown: a refusal has written nothing, and must not undo the spends that share its transaction.
        return refusalOf(outcome, wish)
    }
  }
})
