import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import type { SimulatorContext } from './context.ts'
import { createSession, expireByRequest, expireDue, refundPayment } from './effects.ts'
import { invalidRequest, resourceMissing } from './errors.ts'
import { eventObject } from './events.ts'
import { sendRead, sendWrite, pathParam } from './http.ts'
import { listOf, pageClause, readPage } from './lists.ts'
import type { Params } from './params.ts'
import { chargeObject, disputeObject, paymentIntentObject, refundObject } from './payment-objects.ts'
import * as queries from './queries.ts'
import { lineItemList, sessionObject } from './session-objects.ts'
import { readNewSession } from './session-params.ts'
import type { PaymentRow, SessionRow } from './tables.ts'

const maxAmountCents = 99_999_999
const refundReasons = ['duplicate', 'fraudulent', 'requested_by_customer'] as const

/** Registers the part of Stripe's API that the simulator supports. */
export const registerApiRoutes = (api: FastifyInstance, context: SimulatorContext): void => {
  registerSessions(api, context)
  registerPayments(api, context)
  registerRefunds(api, context)
  registerDisputesAndEvents(api, context)
  api.get(
    '/v1/balance',
    async (request, reply) =>
      await sendRead(context, request, reply, async () => {
        const held = await queries.balances(context.db)
        const available = held.map(({ currency, amount }) => ({ amount, currency, source_types: { card: amount } }))
        const pending = available.map(({ currency }) => ({ amount: 0, currency, source_types: { card: 0 } }))
        return { object: 'balance', available, livemode: false, pending }
      })
  )
}

/** The session as of now: reading an overdue session expires it. */
export const currentSession = async (context: SimulatorContext, id: string): Promise<SessionRow | undefined> => {
  const session = await queries.findSession(context.db, id)
  if (session?.status !== 'open' || session.expires_at > context.clock.now()) return session
  await expireDue(context, session.id)
  return await queries.findSession(context.db, id)
}

const registerSessions = (api: FastifyInstance, context: SimulatorContext): void => {
  const url = '/v1/checkout/sessions'
  const render = (row: SessionRow) => sessionObject(row, context.checkoutBaseUrl())
  const load = async (id: string) => (await currentSession(context, id)) ?? missingSession(id)
  api.post(
    url,
    async (request, reply) =>
      await sendWrite(context, request, reply, (params) => {
        const session = readNewSession(params, context.clock.now())
        return async (trx) => render(await createSession(context, trx, session))
      })
  )
  api.get(
    url,
    async (request, reply) =>
      await sendRead(context, request, reply, async (params) => {
        const page = readPage(params)
        const status = params.choice('status', ['open', 'complete', 'expired'])
        const paymentIntent = params.string('payment_intent')
        await expireDue(context)
        const { where, order, limit } = await pageClause(context.db, 'simulators.stripe_sessions', 'id', page)
        const rows = await queries
          .sessions(context.db)
          .where(where)
          .$if(status !== undefined, (query) => query.where('t.status', '=', status ?? 'open'))
          .$if(paymentIntent !== undefined, (query) => query.where('p.payment_intent_id', '=', paymentIntent ?? ''))
          .orderBy(order)
          .limit(limit)
          .execute()
        return listOf(url, page, rows, render)
      })
  )
  api.get(
    `${url}/:session`,
    async (request, reply) =>
      await sendRead(context, request, reply, async () => render(await load(pathParam(request, 'session'))))
  )
  api.get(
    `${url}/:session/line_items`,
    async (request, reply) =>
      await sendRead(context, request, reply, async (params) => {
        const session = await load(pathParam(request, 'session'))
        const { limit } = readPage(params)
        const list = lineItemList(session)
        return { ...list, data: list.data.slice(0, limit), has_more: list.data.length > limit }
      })
  )
  api.post(
    `${url}/:session/expire`,
    async (request, reply) =>
      await sendWrite(
        context,
        request,
        reply,
        () => async (trx, cause) => render(await expireByRequest(context, trx, cause, pathParam(request, 'session')))
      )
  )
}

const registerPayments = (api: FastifyInstance, context: SimulatorContext): void => {
  const kinds = [
    {
      url: '/v1/payment_intents',
      id: 'payment_intent_id',
      render: paymentIntentObject,
      load: queries.loadPayment,
      filter: undefined
    },
    {
      url: '/v1/charges',
      id: 'charge_id',
      render: chargeObject,
      load: queries.loadPaymentOfCharge,
      filter: 'payment_intent'
    }
  ] as const
  for (const { url, id, render, load, filter } of kinds) {
    api.get(
      `${url}/:id`,
      async (request, reply) =>
        await sendRead(context, request, reply, async () => render(await load(context.db, pathParam(request, 'id'))))
    )
    api.get(
      url,
      async (request, reply) =>
        await sendRead(context, request, reply, async (params) => {
          const page = readPage(params)
          const paymentIntent = filter === undefined ? undefined : params.string(filter)
          const { where, order, limit } = await pageClause(context.db, 'simulators.stripe_payments', id, page)
          const rows = await context.db
            .selectFrom('simulators.stripe_payments as t')
            .selectAll()
            .where(where)
            .$if(paymentIntent !== undefined, (query) => query.where('t.payment_intent_id', '=', paymentIntent ?? ''))
            .orderBy(order)
            .limit(limit)
            .execute()
          return listOf(url, page, rows, render)
        })
    )
  }
}

const registerRefunds = (api: FastifyInstance, context: SimulatorContext): void => {
  api.post(
    '/v1/refunds',
    async (request, reply) =>
      await sendWrite(context, request, reply, (params) => {
        const payment = readPaymentReference(params)
        const wanted = {
          amountCents: params.integer('amount', { min: 1, max: maxAmountCents }),
          reason: params.choice('reason', refundReasons),
          metadata: params.metadata('metadata')
        }
        return async (trx, cause) => await refundPayment(context, trx, cause, await payment(trx), wanted)
      })
  )
  api.get(
    '/v1/refunds/:id',
    async (request, reply) =>
      await sendRead(context, request, reply, async () =>
        refundObject(await queries.loadRefund(context.db, pathParam(request, 'id')))
      )
  )
  api.get(
    '/v1/refunds',
    async (request, reply) =>
      await sendRead(context, request, reply, async (params) => {
        const page = readPage(params)
        const only = readFilter(params)
        const { where, order, limit } = await pageClause(context.db, 'simulators.stripe_refunds', 'id', page)
        const rows = await queries.refunds(context.db).where(where).where(only).orderBy(order).limit(limit).execute()
        return listOf('/v1/refunds', page, rows, refundObject)
      })
  )
}

const registerDisputesAndEvents = (api: FastifyInstance, context: SimulatorContext): void => {
  api.get(
    '/v1/disputes/:id',
    async (request, reply) =>
      await sendRead(context, request, reply, async () =>
        disputeObject(await queries.loadDispute(context.db, pathParam(request, 'id')))
      )
  )
  api.get(
    '/v1/disputes',
    async (request, reply) =>
      await sendRead(context, request, reply, async (params) => {
        const page = readPage(params)
        const only = readFilter(params)
        const { where, order, limit } = await pageClause(context.db, 'simulators.stripe_disputes', 'id', page)
        const rows = await queries.disputes(context.db).where(where).where(only).orderBy(order).limit(limit).execute()
        return listOf('/v1/disputes', page, rows, disputeObject)
      })
  )
  api.get(
    '/v1/events/:id',
    async (request, reply) =>
      await sendRead(context, request, reply, async () =>
        eventObject(await queries.loadEvent(context.db, pathParam(request, 'id')))
      )
  )
  api.get(
    '/v1/events',
    async (request, reply) =>
      await sendRead(context, request, reply, async (params) => {
        const page = readPage(params)
        const type = params.string('type')
        const types = type === undefined ? params.strings('types') : [type]
        const { where, order, limit } = await pageClause(context.db, 'simulators.stripe_event_log', 'id', page)
        const rows = await context.db
          .selectFrom('simulators.stripe_event_log as t')
          .selectAll()
          .where(where)
          .$if(types.length > 0, (query) => query.where('t.type', 'in', types))
          .orderBy(order)
          .limit(limit)
          .execute()
        return listOf('/v1/events', page, rows, eventObject)
      })
  )
}

/** Reads `payment_intent` or `charge`; returns the query for it. @throws StripeApiError 400 when neither or both are present */
export const readPaymentReference = (params: Params): ((db: queries.Reader) => Promise<PaymentRow>) => {
  const paymentIntent = params.string('payment_intent')
  const charge = params.string('charge')
  if (paymentIntent !== undefined && charge === undefined) {
    return async (db) => await queries.loadPayment(db, paymentIntent, 'payment_intent', 404)
  }
  if (charge !== undefined && paymentIntent === undefined) {
    return async (db) => await queries.loadPaymentOfCharge(db, charge, 'charge', 404)
  }
  throw invalidRequest(
    'Exactly one of the following params should be provided for this request: payment_intent or charge.',
    { code: charge === undefined ? 'parameter_missing' : undefined }
  )
}

const readFilter = (params: Params) => {
  const paymentIntent = params.string('payment_intent') ?? null
  const charge = params.string('charge') ?? null
  return sql<boolean>`(${paymentIntent}::text is null or p.payment_intent_id = ${paymentIntent})
    and (${charge}::text is null or p.charge_id = ${charge})`
}

const missingSession = (id: string): never => {
  throw resourceMissing('checkout.session', id, 'session')
}
