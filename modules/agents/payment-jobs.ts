import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { isRefusedByStripe } from '../../plugins/stripe/index.ts'
import * as queries from './queries/topups.ts'
import { readSession } from './stripe-events.ts'
import { bookTopUp, type TopUps } from './topups.ts'

type App = Pick<FastifyInstance, 'clock' | 'database' | 'log' | 'stripe'>

/** Expires one session at Stripe. When it is no longer open there, what became of it is carried out as its event would be. */
const expireSession = async (app: App, topUps: TopUps, sessionId: string): Promise<void> => {
  const { db } = app.database
  try {
    await app.stripe.call(`expire ${sessionId}`, (stripe, options) =>
      stripe.checkout.sessions.expire(sessionId, {}, options)
    )
  } catch (error) {
    if (!isRefusedByStripe(error)) throw error
    const session = await app.stripe.call(`read ${sessionId}`, (stripe) => stripe.checkout.sessions.retrieve(sessionId))
    if (session.status !== 'expired') {
      const news = readSession(session)
      if (news.kind === 'paid') await transact(db, (trx) => bookTopUp(topUps, trx, news.session))
      return
    }
  }
  await queries.expireTopUp(db, sessionId)
}

/** Refunds one payment in full; a payment that was refunded or charged back already has nothing left to refund. */
const refundPayment = async (app: App, { sessionId, paymentIntentId }: queries.RefusedTopUp): Promise<void> => {
  try {
    await app.stripe.call(`refund ${sessionId}`, (stripe, options) =>
      stripe.refunds.create({ payment_intent: paymentIntentId }, options)
    )
  } catch (error) {
    if (!isRefusedByStripe(error, ['charge_already_refunded', 'charge_disputed'])) throw error
  }
  await queries.updateTopUp(app.database.db, sessionId, { refundedAt: app.clock.now() })
}

/** Expires the open payment pages of revoked agents, and refunds payments that were not booked. One failure does not stop the others. */
export const closePayments = async (app: App, topUps: TopUps): Promise<void> => {
  const { db } = app.database
  const attempt = async (sessionId: string, work: Promise<void>): Promise<void> =>
    await work.catch((error: unknown) =>
      app.log.warn({ err: error, sessionId }, 'a payment could not be closed at Stripe; it is tried again')
    )
  for (const { sessionId } of await queries.listOpenOfRevoked(db))
    await attempt(sessionId, expireSession(app, topUps, sessionId))
  for (const topUp of await queries.listUnrefunded(db)) await attempt(topUp.sessionId, refundPayment(app, topUp))
}
