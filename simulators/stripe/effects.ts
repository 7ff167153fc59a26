import { sql } from 'kysely'
import type { Trx } from '../../plugins/database/types.ts'
import type { Cause, SimulatorContext } from './context.ts'
import { invalidRequest } from './errors.ts'
import { recordEvents } from './events.ts'
import { newId } from './identifiers.ts'
import { chargeObject, disputeObject, paymentIntentObject, refundObject } from './payment-objects.ts'
import { loadDispute, loadRefund, loadSession } from './queries.ts'
import { sessionObject } from './session-objects.ts'
import type { NewSession } from './session-params.ts'
import type { Metadata, PaymentRow, SessionRow } from './tables.ts'

/** The cause of effects without an API request: the payment page, or the clock. */
const noRequest: Cause = { requestId: null, idempotencyKey: null }
const expireBatch = 100

export const createSession = async (context: SimulatorContext, trx: Trx, session: NewSession): Promise<SessionRow> => {
  const id = newId('cs_test_a1', 56)
  await trx
    .insertInto('simulators.stripe_sessions')
    .values({
      id,
      currency: session.currency,
      amount_cents: session.amountCents,
      details: JSON.stringify(session.details),
      created_at: context.clock.now(),
      expires_at: session.expiresAt
    })
    .execute()
  return await loadSession(trx, id)
}

/** Expires one overdue session, or up to 100 of them, with their events. @returns how many expired */
export const expireDue = async (context: SimulatorContext, sessionId?: string): Promise<number> =>
  await context.db.transaction().execute(async (trx) => {
    const due = await trx
      .selectFrom('simulators.stripe_sessions')
      .select('id')
      .where('status', '=', sql.lit('open'))
      .where('expires_at', '<=', context.clock.now())
      .$if(sessionId !== undefined, (query) => query.where('id', '=', sessionId ?? ''))
      .orderBy('expires_at')
      .limit(expireBatch)
      .forUpdate()
      .skipLocked()
      .execute()
    for (const { id } of due) await expire(context, trx, noRequest, id)
    return due.length
  })

/** POST …/expire. @throws StripeApiError 400 unless the session is open */
export const expireByRequest = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  sessionId: string
): Promise<SessionRow> => {
  const session = await loadSession(trx, sessionId)
  const expired = await expire(context, trx, cause, session.id)
  if (expired !== undefined) return expired
  const { status } = await loadSession(trx, sessionId)
  throw invalidRequest(
    `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${status}.`
  )
}

const expire = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  sessionId: string
): Promise<SessionRow | undefined> => {
  const updated = await trx
    .updateTable('simulators.stripe_sessions')
    .set({ status: 'expired' })
    .where('id', '=', sessionId)
    .where('status', '=', 'open')
    .returning('id')
    .executeTakeFirst()
  if (updated === undefined) return undefined
  const session = await loadSession(trx, sessionId)
  await recordEvents(context, trx, cause, [
    { type: 'checkout.session.expired', object: sessionObject(session, context.checkoutBaseUrl()) }
  ])
  return session
}

/**
 * Pays an open session once: the compare-and-swap on its status admits one of many clicks.
 *
 * @returns false when the session was not open
 */
export const paySession = async (context: SimulatorContext, sessionId: string): Promise<boolean> =>
  await context.db.transaction().execute(async (trx) => {
    const session = await trx
      .updateTable('simulators.stripe_sessions')
      .set({ status: 'complete' })
      .where('id', '=', sessionId)
      .where('status', '=', 'open')
      .where('expires_at', '>', context.clock.now())
      .returningAll()
      .executeTakeFirst()
    if (session === undefined) return false
    const payment = await trx
      .insertInto('simulators.stripe_payments')
      .values({
        payment_intent_id: newId('pi_3'),
        charge_id: newId('ch_3'),
        session_id: session.id,
        currency: session.currency,
        amount_cents: session.amount_cents,
        details: JSON.stringify(session.details.payment),
        created_at: context.clock.now()
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const paid = await loadSession(trx, session.id)
    await recordEvents(context, trx, noRequest, [
      { type: 'charge.succeeded', object: chargeObject(payment) },
      { type: 'payment_intent.succeeded', object: paymentIntentObject(payment) },
      { type: 'checkout.session.completed', object: sessionObject(paid, context.checkoutBaseUrl()) }
    ])
    return true
  })

/** Refunds `amountCents`, or all that is left. @throws StripeApiError 400 when less is left, or the charge is disputed */
export const refundPayment = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  found: PaymentRow,
  wanted: { amountCents?: number; reason?: string; metadata: Metadata }
) => {
  const before = await lockPayment(trx, found)
  const left = before.amount_cents - before.refunded_cents
  if (before.disputed) {
    throw invalidRequest(`Charge ${before.charge_id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed'
    })
  }
  if (left === 0) {
    throw invalidRequest(`Charge ${before.charge_id} has already been refunded.`, { code: 'charge_already_refunded' })
  }
  const amount = wanted.amountCents ?? left
  if (amount > left) {
    throw invalidRequest(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount'
    })
  }
  const id = newId('re_3')
  await trx
    .insertInto('simulators.stripe_refunds')
    .values({
      id,
      payment_intent_id: before.payment_intent_id,
      amount_cents: amount,
      reason: wanted.reason ?? null,
      metadata: JSON.stringify(wanted.metadata),
      created_at: context.clock.now()
    })
    .execute()
  const after = await trx
    .updateTable('simulators.stripe_payments')
    .set({ refunded_cents: before.refunded_cents + amount })
    .where('payment_intent_id', '=', before.payment_intent_id)
    .returningAll()
    .executeTakeFirstOrThrow()
  const refund = refundObject(await loadRefund(trx, id))
  const { amount_refunded: amountRefunded, refunded } = chargeObject(before)
  const changed = chargeObject(after).refunded === refunded ? {} : { refunded }
  await recordEvents(context, trx, cause, [
    {
      type: 'charge.refunded',
      object: chargeObject(after),
      previousAttributes: { amount_refunded: amountRefunded, ...changed }
    },
    { type: 'refund.created', object: refund }
  ])
  return refund
}

/**
 * Ends a refund that succeeded before: the money goes back to the seller, and the charge counts it no longer.
 *
 * @throws StripeApiError 400 when it has ended already, 404 when it does not exist
 */
export const endRefund = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  refundId: string,
  status: 'failed' | 'canceled'
) => {
  const before = await loadRefund(trx, refundId)
  const ended = await trx
    .updateTable('simulators.stripe_refunds')
    .set({ status })
    .where('id', '=', refundId)
    .where('status', '=', 'succeeded')
    .returning(['payment_intent_id', 'amount_cents'])
    .executeTakeFirst()
  if (ended === undefined) throw invalidRequest(`Refund ${refundId} has ended already.`)
  await trx
    .updateTable('simulators.stripe_payments')
    .set({ refunded_cents: sql`refunded_cents - ${ended.amount_cents}` })
    .where('payment_intent_id', '=', ended.payment_intent_id)
    .execute()
  const refund = refundObject(await loadRefund(trx, refundId))
  const types = ['refund.updated', 'charge.refund.updated', ...(status === 'failed' ? ['refund.failed'] : [])]
  const previousAttributes = { status: before.status }
  await recordEvents(
    context,
    trx,
    cause,
    types.map((type) => ({ type, object: refund, previousAttributes }))
  )
  return refund
}

/** Opens the only dispute of a payment. @throws StripeApiError 400 when it is disputed, or the amount is too large */
export const disputePayment = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  found: PaymentRow,
  wanted: { amountCents?: number; reason?: string }
) => {
  const before = await lockPayment(trx, found)
  if (before.disputed)
    throw invalidRequest(`Charge ${before.charge_id} is already disputed.`, { code: 'charge_disputed' })
  const amount = wanted.amountCents ?? before.amount_cents
  if (amount > before.amount_cents) {
    throw invalidRequest(`Dispute amount (${amount}) is greater than the charge (${before.amount_cents})`, {
      param: 'amount'
    })
  }
  const id = newId('du_1')
  await trx
    .insertInto('simulators.stripe_disputes')
    .values({
      id,
      payment_intent_id: before.payment_intent_id,
      amount_cents: amount,
      reason: wanted.reason ?? 'fraudulent',
      created_at: context.clock.now()
    })
    .execute()
  await trx
    .updateTable('simulators.stripe_payments')
    .set({ disputed: true })
    .where('payment_intent_id', '=', before.payment_intent_id)
    .execute()
  const dispute = disputeObject(await loadDispute(trx, id))
  await recordEvents(context, trx, cause, [{ type: 'charge.dispute.created', object: dispute }])
  return dispute
}

/**
 * Closes a dispute. A won dispute reinstates the funds.
 *
 * @throws StripeApiError 400 when it is closed, 404 when it does not exist
 */
export const closeDispute = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  disputeId: string,
  outcome: 'won' | 'lost'
) => {
  const before = disputeObject(await loadDispute(trx, disputeId))
  const closed = await trx
    .updateTable('simulators.stripe_disputes')
    .set({ status: outcome })
    .where('id', '=', disputeId)
    .where('status', '=', 'needs_response')
    .returning('id')
    .executeTakeFirst()
  if (closed === undefined) throw invalidRequest(`Dispute ${disputeId} is closed already.`)
  const dispute = disputeObject(await loadDispute(trx, disputeId))
  await recordEvents(context, trx, cause, [
    { type: 'charge.dispute.closed', object: dispute, previousAttributes: { status: before.status } },
    ...(outcome === 'won' ? [{ type: 'charge.dispute.funds_reinstated', object: dispute }] : [])
  ])
  return dispute
}

const lockPayment = async (trx: Trx, payment: PaymentRow): Promise<PaymentRow> =>
  await trx
    .selectFrom('simulators.stripe_payments')
    .selectAll()
    .where('payment_intent_id', '=', payment.payment_intent_id)
    .forUpdate()
    .executeTakeFirstOrThrow()
