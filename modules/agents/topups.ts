import type { FastifyInstance } from 'fastify'
import type Stripe from 'stripe'
import type { Trx } from '../../plugins/database/types.ts'
import { fromCents } from '../../plugins/money.ts'
import { findAgent } from './queries/agents.ts'
import * as queries from './queries/topups.ts'

export type TopUps = Pick<FastifyInstance, 'clock' | 'ledger' | 'outbox'>

/** A dollar buys 100 credits, so a cent buys one credit, which is 100 hundredths. */
const creditCentsOf = (usdCents: number): number => usdCents * 100

const idOf = (reference: string | { id: string } | null): string | undefined =>
  typeof reference === 'string' ? reference : reference?.id

const publishTopUp = async (
  { outbox }: TopUps,
  trx: Trx,
  agentId: string,
  data: Record<string, unknown>
): Promise<void> => {
  const partnerId = (await findAgent(trx, agentId))?.ownerPartnerId ?? null
  if (partnerId === null) return
  await outbox.publish(trx, [{ partnerId, type: 'agent.topup', data: { agent_id: agentId, ...data } }])
}

/**
 * Brings the credits of a paid top-up in line with its refunds and disputes as they are now, whatever the order of their events.
 * Credits are taken as far as the balance allows and the rest is owed; when a dispute is won, the debt is cancelled first and the rest given back.
 */
const settleReversals = async (
  { ledger }: TopUps,
  trx: Trx,
  paymentIntentId: string,
  kind: 'Refund' | 'Dispute',
  eventId: string
): Promise<void> => {
  const topUp = await queries.lockTopUp(trx, 'payment_intent_id', paymentIntentId)
  if (topUp === undefined) return
  const { sessionId, agentId, takenBackCents, owedCents } = topUp
  const reversedUsdCents = Math.min(topUp.amountCents, await queries.sumReversals(trx, paymentIntentId))
  const dueCents = creditCentsOf(reversedUsdCents) - takenBackCents - owedCents
  if (dueCents === 0) return
  /** Greater than zero when credits are taken, less when they are given back. */
  const takenCents =
    dueCents > 0
      ? Math.min(dueCents, await ledger.lockBalance(trx, agentId))
      : dueCents + Math.min(-dueCents, owedCents)
  if (takenCents !== 0) {
    const amountCents = Math.abs(takenCents)
    await ledger.post(trx, {
      walletId: agentId,
      type: takenCents > 0 ? 'refund' : 'earn',
      amountCents,
      description: `${takenCents > 0 ? kind : 'Dispute won'}: ${fromCents(amountCents)} credits`,
      reference: `stripe:${eventId}`
    })
  }
  await queries.updateTopUp(trx, sessionId, {
    takenBackCents: takenBackCents + takenCents,
    owedCents: owedCents + dueCents - takenCents
  })
}

/** Books a paid session once, and then any reversal whose event arrived before the payment's. */
const bookTopUp = async (app: TopUps, trx: Trx, session: Stripe.Checkout.Session, eventId: string): Promise<void> => {
  const paymentIntentId = idOf(session.payment_intent)
  const agentId = session.metadata?.agent_id
  const { id: sessionId, payment_status: status, amount_total: amountCents } = session
  if (status !== 'paid' || paymentIntentId === undefined || agentId === undefined || amountCents === null) return
  await queries.lockPaymentIntent(trx, paymentIntentId)
  if ((await findAgent(trx, agentId)) === undefined) return
  // The server may have crashed between creating the session at Stripe and storing it.
  await queries.insertTopUp(trx, { sessionId, agentId, amountCents, createdAt: new Date(session.created * 1000) })
  const topUp = await queries.lockTopUp(trx, 'session_id', sessionId)
  if (topUp === undefined || topUp.status === 'paid') return
  const creditsCents = creditCentsOf(amountCents)
  const posted = await app.ledger.post(trx, {
    walletId: topUp.agentId,
    type: 'earn',
    amountCents: creditsCents,
    description: `Top-up: ${fromCents(creditsCents)} credits`,
    reference: `stripe:${sessionId}`
  })
  if (!posted.posted) throw new Error('A top-up cannot lack balance.')
  const { transactionId, balanceCents } = posted
  await queries.updateTopUp(trx, sessionId, {
    status: 'paid',
    amountCents,
    paymentIntentId,
    transactionId,
    creditsCents,
    paidAt: app.clock.now()
  })
  await publishTopUp(app, trx, topUp.agentId, {
    amount: fromCents(creditsCents),
    balance: fromCents(balanceCents),
    transaction_id: transactionId
  })
  await settleReversals(app, trx, paymentIntentId, 'Refund', eventId)
}

const sourceOf = ({ id, payment_intent: intent }: Stripe.Charge | Stripe.Dispute) => ({
  sourceId: id,
  paymentIntentId: idOf(intent)
})

type ReversalEvent = Omit<queries.Reversal, 'paymentIntentId'> & { paymentIntentId: string | undefined }

const reverse = async (
  app: TopUps,
  trx: Trx,
  eventId: string,
  { paymentIntentId, ...reversal }: ReversalEvent,
  { won = false } = {}
): Promise<void> => {
  if (paymentIntentId === undefined) return
  await queries.lockPaymentIntent(trx, paymentIntentId)
  const record = won ? queries.recordReinstatement : queries.recordReversal
  await record(trx, { ...reversal, paymentIntentId }, app.clock.now())
  await settleReversals(app, trx, paymentIntentId, reversal.kind === 'refund' ? 'Refund' : 'Dispute', eventId)
}

/** Carries out an event of Stripe once; events of other types are accepted and ignored. */
export const bookEvent = async (app: TopUps, trx: Trx, event: Stripe.Event): Promise<void> => {
  if (!(await queries.recordStripeEvent(trx, event, app.clock.now()))) return
  switch (event.type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return await bookTopUp(app, trx, event.data.object, event.id)
    case 'checkout.session.expired':
      return await queries.expireTopUp(trx, event.data.object.id)
    case 'charge.refunded': {
      const charge = event.data.object
      const refund = { ...sourceOf(charge), kind: 'refund' as const, amountCents: charge.amount_refunded }
      return await reverse(app, trx, event.id, refund)
    }
    case 'charge.dispute.created':
    case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.closed':
    case 'charge.dispute.funds_reinstated': {
      const dispute = event.data.object
      const isOver = event.type === 'charge.dispute.closed' || event.type === 'charge.dispute.funds_reinstated'
      // An inquiry (`warning_…`) takes no money; a `funds_withdrawn` event follows if it becomes a dispute.
      if (isOver ? dispute.status !== 'won' : dispute.status.startsWith('warning_')) return
      const reversal = { ...sourceOf(dispute), kind: 'dispute' as const, amountCents: dispute.amount }
      return await reverse(app, trx, event.id, reversal, { won: isOver })
    }
    default:
  }
}
