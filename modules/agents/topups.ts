import type { FastifyInstance } from 'fastify'
import { afterCommit } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { fromCents } from '../../plugins/money.ts'
import { lockAgent, type Agent } from './queries/agents.ts'
import * as queries from './queries/topups.ts'
import { reversedCentsOf } from './reversals.ts'
import { setOwed } from './statuses.ts'
import type { PaidSession, Reversal, StripeEvent } from './stripe-events.ts'
import type { Refusal } from './tables.ts'

export type TopUps = Pick<FastifyInstance, 'clock' | 'ledger' | 'log' | 'notifications' | 'outbox'> & {
  /** Starts the job that refunds payments that were not booked. */
  requestClosing: () => void
}

/** A dollar buys 100 credits, so a cent buys one credit, which is 100 hundredths. */
const creditCentsOf = (usdCents: number): number => usdCents * 100

/** The words of the ledger for a reversal that takes credits, and for one that gives them back. */
const wordsOf = (kind: Reversal['kind']) =>
  kind === 'dispute' ? { taken: 'Dispute', given: 'Dispute won' } : { taken: 'Refund', given: 'Refund failed' }

/**
 * Brings the credits of a paid top-up in line with its refunds and disputes as they are now, whatever the order of their events.
 * Credits are taken as far as the balance allows and the rest is owed; credits that are given back cancel the debt first.
 */
const settleReversals = async (
  app: TopUps,
  trx: Trx,
  paymentIntentId: string,
  kind: Reversal['kind'],
  reference: string
): Promise<void> => {
  const topUp = await queries.findTopUp(trx, 'payment_intent_id', paymentIntentId)
  if (topUp?.status !== 'paid') return
  const agent = await lockAgent(trx, topUp.agentId)
  if (agent === undefined) throw new Error(`The agent ${topUp.agentId} of a payment is gone.`)
  const reversals = await queries.listReversals(trx, paymentIntentId)
  const reversedCents = creditCentsOf(reversedCentsOf(topUp, reversals))
  const dueCents = reversedCents - topUp.reversedCents
  if (dueCents === 0) return
  /** Greater than zero when credits are taken, less when they are given back. */
  const takenCents =
    dueCents > 0
      ? Math.min(dueCents, await app.ledger.lockBalance(trx, agent.agentId))
      : dueCents + Math.min(-dueCents, agent.owedCents)
  if (takenCents !== 0) {
    const amountCents = Math.abs(takenCents)
    const words = wordsOf(kind)
    await app.ledger.post(trx, {
      walletId: agent.agentId,
      type: takenCents > 0 ? 'refund' : 'earn',
      amountCents,
      description: `${takenCents > 0 ? words.taken : words.given}: ${fromCents(amountCents)} credits`,
      reference
    })
  }
  await queries.updateTopUp(trx, topUp.sessionId, { reversedCents })
  await setOwed(app, trx, agent, agent.owedCents + dueCents - takenCents)
}

interface Order {
  agentId: string
  amountCents: number
}

/** The order that a session of this server has in its metadata. */
const orderIn = ({ agent_id: agentId, amount_cents: cents = '' }: Record<string, string>): Order | undefined =>
  agentId === undefined || !/^[1-9][0-9]{0,8}$/.test(cents) ? undefined : { agentId, amountCents: Number(cents) }

/** Marks a payment to be refunded instead of booked, and notifies the agent's owner. */
const refuse = async (
  app: TopUps,
  trx: Trx,
  agent: Agent,
  { sessionId, paymentIntentId, total }: PaidSession,
  refusal: Refusal
): Promise<void> => {
  await queries.updateTopUp(trx, sessionId, {
    status: 'refused',
    refusal,
    paymentIntentId,
    paidAt: app.clock.now()
  })
  afterCommit(trx, app.requestClosing)
  app.log.warn({ sessionId, refusal, total }, 'a payment was not booked; it is refunded')
  if (agent.ownerUserId === null) return
  const why = refusal === 'agent_revoked' ? 'the agent is revoked' : 'its amount or currency is not what was ordered'
  await app.notifications.notify(trx, {
    userId: agent.ownerUserId,
    type: 'agent.topup_refused',
    message: `A payment for ${agent.name} was not booked because ${why}. The money is refunded.`,
    data: { agent_id: agent.agentId, session_id: sessionId, reason: refusal }
  })
}

/** Books the credits, and settles what the agent owes with them. */
const book = async (app: TopUps, trx: Trx, agent: Agent, order: Order, session: PaidSession): Promise<void> => {
  const { agentId, ownerPartnerId: partnerId } = agent
  const { sessionId, paymentIntentId, presented } = session
  const creditsCents = creditCentsOf(order.amountCents)
  const reference = `stripe:${sessionId}`
  const post = async (type: 'earn' | 'refund', amountCents: number, what: string, suffix = '') => {
    const description = `${what}: ${fromCents(amountCents)} credits`
    const posted = await app.ledger.post(trx, {
      walletId: agentId,
      type,
      amountCents,
      description,
      reference: `${reference}${suffix}`
    })
    if (!posted.posted) throw new Error('A top-up cannot lack balance.')
    return posted
  }
  const earned = await post('earn', creditsCents, 'Top-up')
  await queries.updateTopUp(trx, sessionId, {
    status: 'paid',
    paymentIntentId,
    transactionId: earned.transactionId,
    creditsCents,
    presentedAmount: presented.amount,
    presentedCurrency: presented.currency,
    paidAt: app.clock.now()
  })
  const settledCents = Math.min(agent.owedCents, creditsCents)
  const { balanceCents } =
    settledCents === 0 ? earned : await post('refund', settledCents, 'Owed after a refund or a dispute', ':owed')
  await setOwed(app, trx, agent, agent.owedCents - settledCents)
  if (partnerId === null) return
  const data = {
    agent_id: agentId,
    amount: fromCents(creditsCents),
    settled: fromCents(settledCents),
    balance: fromCents(balanceCents),
    transaction_id: earned.transactionId
  }
  await app.outbox.publish(trx, [{ partnerId, type: 'agent.topup', data }])
}

/**
 * Books a paid session once, and then any reversal whose event arrived before the payment's. A payment for a revoked agent, or of another amount or currency
 * than was ordered, is refused instead.
 */
export const bookTopUp = async (app: TopUps, trx: Trx, session: PaidSession): Promise<void> => {
  const { sessionId, paymentIntentId, total } = session
  await queries.lockPaymentIntent(trx, paymentIntentId)
  // The server may have crashed between creating the session at Stripe and storing it.
  const order = (await queries.findTopUp(trx, 'session_id', sessionId)) ?? orderIn(session.metadata)
  const agent = order && (await lockAgent(trx, order.agentId))
  if (order === undefined || agent === undefined) {
    app.log.warn({ sessionId }, 'Stripe reported a payment that this server did not order')
    return
  }
  const { agentId, amountCents } = order
  await queries.insertTopUp(trx, { sessionId, agentId, amountCents, createdAt: app.clock.now() })
  const topUp = await queries.lockTopUp(trx, sessionId)
  if (topUp.status === 'paid' || topUp.status === 'refused') return
  if (agent.status === 'revoked') return await refuse(app, trx, agent, session, 'agent_revoked')
  if (total.currency !== 'usd' || total.amount !== amountCents)
    return await refuse(app, trx, agent, session, 'amount_mismatch')
  await book(app, trx, agent, topUp, session)
  await settleReversals(app, trx, paymentIntentId, 'refund', `stripe:${sessionId}:reversed`)
}

const reverse = async (app: TopUps, trx: Trx, eventId: string, reversal: Reversal): Promise<void> => {
  await queries.lockPaymentIntent(trx, reversal.paymentIntentId)
  await queries.recordReversal(trx, reversal, app.clock.now())
  await settleReversals(app, trx, reversal.paymentIntentId, reversal.kind, `stripe:${eventId}`)
}

/** Carries out an event of Stripe once; events of other types are accepted and ignored. */
export const bookEvent = async (app: TopUps, trx: Trx, event: StripeEvent): Promise<void> => {
  if (!(await queries.recordStripeEvent(trx, event, app.clock.now()))) return
  const { news } = event
  switch (news.kind) {
    case 'paid':
      return await bookTopUp(app, trx, news.session)
    case 'expired':
      return await queries.expireTopUp(trx, news.sessionId)
    case 'reversed':
      return await reverse(app, trx, event.id, news.reversal)
    default:
  }
}
