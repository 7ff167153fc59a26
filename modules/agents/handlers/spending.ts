import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../../plugins/database/types.ts'
import { collect } from '../../../plugins/database/collector.ts'
import { credentialRefused } from '../../../plugins/http/errors/kinds.ts'
import { idempotencyLifetimeMs } from '../../../plugins/operations/idempotency.ts'
import { newId } from '../../../plugins/ids.ts'
import { fromCents, toCents } from '../../../plugins/money.ts'
import type { Footprint, Handlers } from '../../../plugins/operations/handlers.ts'
import { serialiseAnswer } from '../../../plugins/operations/validation.ts'
import { operations } from '../../../spec/generated/agents.ts'
import { agentPaused, agentRevoked, insufficientBalance } from '../errors.ts'
import {
  spend,
  spendTogether,
  type CollectedOutcome,
  type CompleteSpend,
  type Spend,
  type SpendOutcome
} from '../queries/spends.ts'
import { toSpend } from '../wire.ts'

const approvalLifetimeMs = 24 * 3_600_000

/** Why a spend was refused, as the client is told. */
const refusalOf = (
  { outcome, balance_cents: balanceCents }: Pick<SpendOutcome | CollectedOutcome, 'outcome' | 'balance_cents'>,
  wish: Spend
): Error => {
  switch (outcome) {
    case 'insufficient':
      return insufficientBalance(balanceCents, wish.amountCents)
    case 'paused':
      return agentPaused(wish.agentId)
    case 'revoked':
      return agentRevoked(wish.agentId)
    case 'unauthorized':
      return credentialRefused()
    default:
      return new Error(`A spend ended as ${outcome}.`)
  }
}

/** Tells the owner that the agent asks; an agent without an owner waits until somebody claims it. */
const tellOwner = async (app: FastifyInstance, trx: Trx, wish: Spend, outcome: SpendOutcome): Promise<void> => {
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
      return toSpend(outcome.transaction_id, wish.amountCents, outcome.balance_cents)
    case 'pending':
      await tellOwner(app, trx, wish, outcome)
      return {
        ok: false,
        pending: true,
        approval_id: outcome.approval_id,
        message: 'Approval request submitted. Awaiting owner approval.'
      }
    default:
      throw refusalOf(outcome, wish)
  }
}

const complete = (
  app: FastifyInstance,
  wish: Spend,
  credentialId: string,
  { activity, claim }: Footprint
): CompleteSpend => ({
  ...wish,
  credentialId,
  eventId: newId('evt'),
  at: activity.at,
  activity: {
    operationId: activity.operation_id,
    method: activity.method,
    route: activity.route,
    ip: activity.ip,
    requestId: activity.request_id
  },
  key: claim && {
    ...claim,
    lock: app.idempotency.lockOf(claim),
    expiresAt: new Date(activity.at.getTime() + idempotencyLifetimeMs)
  }
})

export const spendingHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'spendCredits'> => {
  const spendCollected = collect((spends: CompleteSpend[]) => spendTogether(app.database.db, spends))
  app.idempotency.toldFromLedger('spendCredits', async (db, transactionId) => {
    const { amountCents, balanceAfterCents } = await app.ledger.movement(db, transactionId)
    return serialiseAnswer(operations.spendCredits, 200, toSpend(transactionId, -amountCents, balanceAfterCents))
  })
  return {
    async spendCredits({ body, caller, footprint }) {
      const itemName = body.item_name ?? null
      const description = body.description ?? itemName ?? 'Spend'
      const wish: Spend = {
        agentId: caller.agentId,
        amountCents: toCents(body.amount),
        description,
        requireApproval: body.require_approval,
        itemName,
        url: body.url ?? null
      }
      const outcome = await spendCollected(complete(app, wish, caller.credentialId, footprint))
      switch (outcome.outcome) {
        case 'posted':
          if (outcome.announced) app.outbox.wake()
          return toSpend(outcome.transaction_id, wish.amountCents, outcome.balance_cents)
        case 'known_key':
        case 'needs_approval':
          return (trx) => carryOutSpend(app, trx, wish)
        default:
          throw refusalOf(outcome, wish)
      }
    }
  }
}
