import type { FastifyInstance } from 'fastify'
import type Stripe from 'stripe'
import type { Trx } from '../../plugins/database/types.ts'
import { fromCents } from '../../plugins/money.ts'
import { findAgent } from './queries/agents.ts'
import * as payments from './queries/payments.ts'

/** 100 credits a dollar: a cent buys one credit, which is 100 hundredths. */
const creditCentsOf = (usdCents: number): number => usdCents * 100

const idOf = (reference: string | { id: string } | null): string | undefined =>
  typeof reference === 'string' ? reference : reference?.id

const announce = async (
  app: FastifyInstance,
  trx: Trx,
  agentId: string,
  data: Record<string, unknown>
): Promise<void> => {
  const partnerId = (await findAgent(trx, agentId))?.owner_partner_id ?? null
  if (partnerId === null) return
  await app.outbox.publish(trx, [{ partnerId, type: 'agent.topup', data: { agent_id: agentId, ...data } }])
}

/** Takes credits of a payment back as far as the balance allows; the rest is noted as owed. */
const takeBack = async (
  app: FastifyInstance,
  trx: Trx,
  payment: payments.PaymentRow,
  dueCents: number,
  kind: 'Refund' | 'Dispute',
  cause: string
): Promise<void> => {
  const amountCents = Math.min(dueCents, await app.ledger.lockBalance(trx, payment.agent_id))
  if (amountCents > 0) {
    const description = `${kind}: ${fromCents(amountCents)} credits`
    await app.ledger.post(trx, {
      walletId: payment.agent_id,
      type: 'refund',
      amountCents,
      description,
      reference: `stripe:${cause}`
    })
  }
  await payments.updatePayment(trx, payment.session_id, {
    taken_back_cents: payment.taken_back_cents + amountCents,
    owed_cents: payment.owed_cents + dueCents - amountCents
  })
}

/** Gives credits of a payment back: first what is owed of it is owed no more, then what was taken comes back. */
const giveBack = async (
  app: FastifyInstance,
  trx: Trx,
  payment: payments.PaymentRow,
  dueCents: number,
  cause: string
): Promise<void> => {
  const forgivenCents = Math.min(dueCents, payment.owed_cents)
  const amountCents = dueCents - forgivenCents
  if (amountCents > 0) {
    const description = `Dispute won: ${fromCents(amountCents)} credits`
    await app.ledger.post(trx, {
      walletId: payment.agent_id,
      type: 'earn',
      amountCents,
      description,
      reference: `stripe:${cause}`
    })
  }
  await payments.updatePayment(trx, payment.session_id, {
    taken_back_cents: payment.taken_back_cents - amountCents,
    owed_cents: payment.owed_cents - forgivenCents
  })
}

/** Brings the credits of a booked payment to where its refunds and disputes, as they are now, leave it; in whatever order they became known. */
const settleReversals = async (
  app: FastifyInstance,
  trx: Trx,
  paymentIntentId: string,
  kind: 'Refund' | 'Dispute',
  cause: string
): Promise<void> => {
  const payment = await payments.lockPaymentByIntent(trx, paymentIntentId)
  if (payment === undefined) return
  const reversedCents = creditCentsOf(Math.min(payment.amount_cents, await payments.sumReversals(trx, paymentIntentId)))
  const dueCents = reversedCents - payment.taken_back_cents - payment.owed_cents
  if (dueCents > 0) await takeBack(app, trx, payment, dueCents, kind, cause)
  if (dueCents < 0) await giveBack(app, trx, payment, -dueCents, cause)
}

/** Books a paid session, once; and what of it went back already, should that event have come first. */
const bookPayment = async (
  app: FastifyInstance,
  trx: Trx,
  session: Stripe.Checkout.Session,
  eventId: string
): Promise<void> => {
  const paymentIntentId = idOf(session.payment_intent)
  const agentId = session.metadata?.agent_id
  const amountCents = session.amount_total
  if (
    session.payment_status !== 'paid' ||
    paymentIntentId === undefined ||
    agentId === undefined ||
    amountCents === null
  )
    return
  await payments.lockPaymentIntent(trx, paymentIntentId)
  // A session that this server made and lost before it could write it down was paid all the same.
  if ((await findAgent(trx, agentId)) === undefined) return
  await payments.insertPayment(trx, {
    sessionId: session.id,
    agentId,
    amountCents,
    createdAt: new Date(session.created * 1000)
  })
  const payment = await payments.lockPaymentBySession(trx, session.id)
  if (payment === undefined || payment.status === 'paid') return
  const creditCents = creditCentsOf(amountCents)
  const description = `Top-up: ${fromCents(creditCents)} credits`
  const posted = await app.ledger.post(trx, {
    walletId: payment.agent_id,
    type: 'earn',
    amountCents: creditCents,
    description,
    reference: `stripe:${session.id}`
  })
  if (!posted.posted) throw new Error('A top-up cannot lack balance.')
  await payments.updatePayment(trx, session.id, {
    status: 'paid',
    amount_cents: amountCents,
    payment_intent_id: paymentIntentId,
    transaction_id: posted.transactionId,
    credits_cents: creditCents,
    paid_at: app.clock.now()
  })
  await announce(app, trx, payment.agent_id, {
    amount: fromCents(creditCents),
    balance: fromCents(posted.balanceCents),
    transaction_id: posted.transactionId
  })
  await settleReversals(app, trx, paymentIntentId, 'Refund', eventId)
}

const reverse = async (
  app: FastifyInstance,
  trx: Trx,
  eventId: string,
  reversal: { sourceId: string; paymentIntentId: string | undefined; kind: 'refund' | 'dispute'; amountCents: number }
): Promise<void> => {
  const { paymentIntentId } = reversal
  if (paymentIntentId === undefined) return
  await payments.lockPaymentIntent(trx, paymentIntentId)
  await payments.noteReversal(trx, { ...reversal, paymentIntentId, now: app.clock.now() })
  await settleReversals(app, trx, paymentIntentId, reversal.kind === 'refund' ? 'Refund' : 'Dispute', eventId)
}

/** A dispute was won: what it took back is given back, once. */
const reinstate = async (
  app: FastifyInstance,
  trx: Trx,
  eventId: string,
  { paymentIntentId, ...dispute }: { sourceId: string; paymentIntentId: string | undefined; amountCents: number }
): Promise<void> => {
  if (paymentIntentId === undefined) return
  await payments.lockPaymentIntent(trx, paymentIntentId)
  await payments.noteReinstatement(trx, { ...dispute, paymentIntentId, now: app.clock.now() })
  await settleReversals(app, trx, paymentIntentId, 'Dispute', eventId)
}

/** Does what an event of Stripe tells, once; events that concern nothing here are taken and let be. */
export const bookEvent = async (app: FastifyInstance, trx: Trx, event: Stripe.Event): Promise<void> => {
  if (!(await payments.noteEvent(trx, { id: event.id, type: event.type, now: app.clock.now() }))) return
  switch (event.type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return await bookPayment(app, trx, event.data.object, event.id)
    case 'checkout.session.expired':
      return await payments.expirePayment(trx, event.data.object.id)
    case 'charge.refunded': {
      const { id, payment_intent: intent, amount_refunded: amountCents } = event.data.object
      return await reverse(app, trx, event.id, {
        sourceId: id,
        paymentIntentId: idOf(intent),
        kind: 'refund',
        amountCents
      })
    }
    case 'charge.dispute.created':
    case 'charge.dispute.funds_withdrawn': {
      const { id, status, payment_intent: intent, amount: amountCents } = event.data.object
      // An inquiry (warning_…) takes no money yet; when it becomes a dispute, the withdrawal tells.
      if (status.startsWith('warning_')) return
      return await reverse(app, trx, event.id, {
        sourceId: id,
        paymentIntentId: idOf(intent),
        kind: 'dispute',
        amountCents
      })
    }
    case 'charge.dispute.closed':
    case 'charge.dispute.funds_reinstated': {
      const { id, status, payment_intent: intent, amount: amountCents } = event.data.object
      if (status !== 'won') return
      return await reinstate(app, trx, event.id, { sourceId: id, paymentIntentId: idOf(intent), amountCents })
    }
    default:
  }
}
