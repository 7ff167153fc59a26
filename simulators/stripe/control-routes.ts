import type { FastifyInstance } from 'fastify'
import type { SimulatorContext } from './context.ts'
import type { Delivery } from './delivery.ts'
import { closeDispute, disputePayment, endRefund, expireDue } from './effects.ts'
import { readFaults, replaceFaults } from './faults.ts'
import { sendRead, sendWrite, bodyOf, pathParam } from './http.ts'
import { render } from './idempotency.ts'
import { Params } from './params.ts'
import { loadEvent } from './queries.ts'
import { readPaymentReference } from './routes.ts'
import type { EventRow } from './tables.ts'

const maxListed = 1000

/**
 * Registers `/simulator/…`, for which Stripe has no API: create and close disputes, end refunds, inject faults, expire sessions now, list and
 * send events. It takes the same secret key, and forms or JSON.
 */
export const registerControlRoutes = (api: FastifyInstance, context: SimulatorContext, delivery: Delivery): void => {
  api.post(
    '/simulator/disputes',
    async (request, reply) =>
      await sendWrite(context, request, reply, (params) => {
        const payment = readPaymentReference(params)
        const wanted = {
          amountCents: params.integer('amount', { min: 1, max: 99_999_999 }),
          reason: params.string('reason', 100)
        }
        return async (trx, cause) => await disputePayment(context, trx, cause, await payment(trx), wanted)
      })
  )
  api.post(
    '/simulator/disputes/:id/close',
    async (request, reply) =>
      await sendWrite(context, request, reply, (params) => {
        const outcome = params.choice('outcome', ['won', 'lost'])
        return async (trx, cause) =>
          await closeDispute(context, trx, cause, pathParam(request, 'id'), outcome ?? 'lost')
      })
  )
  api.post(
    '/simulator/refunds/:id/end',
    async (request, reply) =>
      await sendWrite(context, request, reply, (params) => {
        const status = params.choice('status', ['failed', 'canceled'])
        return async (trx, cause) => await endRefund(context, trx, cause, pathParam(request, 'id'), status ?? 'failed')
      })
  )
  api.get('/simulator/faults', async (_request, reply) => await reply.send(render(context.faults)))
  api.post('/simulator/faults', async (request, reply) => {
    replaceFaults(context.faults, readFaults(new Params(bodyOf(request))))
    return await reply.send(render(context.faults))
  })
  api.post(
    '/simulator/expire_sessions',
    async (_request, reply) => await reply.send(render({ expired: await expireDue(context) }))
  )
  api.get(
    '/simulator/events',
    async (request, reply) =>
      await sendRead(context, request, reply, async () => {
        const rows = await context.db
          .selectFrom('simulators.stripe_event_log')
          .selectAll()
          .orderBy('sequence', 'desc')
          .limit(maxListed)
          .execute()
        return { object: 'list', data: rows.map(eventState) }
      })
  )
  api.post('/simulator/events/release', async (request, reply) => {
    const params = new Params(bodyOf(request))
    const reverse = params.choice('order', ['oldest_first', 'newest_first']) === 'newest_first'
    const named = params.strings('events', maxListed)
    params.done()
    for (const id of named) await loadEvent(context.db, id)
    const ids = named.length > 0 ? named : await heldEvents(context, reverse)
    await delivery.sendNow(ids)
    return await reply.send(render({ object: 'list', data: await statesOf(context, ids) }))
  })
  api.post('/simulator/events/:id/send', async (request, reply) => {
    const { id } = await loadEvent(context.db, pathParam(request, 'id'))
    await delivery.sendNow([id])
    return await reply.send(render(eventState(await loadEvent(context.db, id))))
  })
}

const heldEvents = async (context: SimulatorContext, reverse: boolean): Promise<string[]> => {
  const rows = await context.db
    .selectFrom('simulators.stripe_event_log')
    .select('id')
    .where('state', '=', 'held')
    .orderBy('sequence', reverse ? 'desc' : 'asc')
    .limit(maxListed)
    .execute()
  return rows.map((row) => row.id)
}

const statesOf = async (context: SimulatorContext, ids: string[]): Promise<object[]> => {
  const states: object[] = []
  for (const id of ids) states.push(eventState(await loadEvent(context.db, id)))
  return states
}

const eventState = (row: EventRow): object => ({
  id: row.id,
  type: row.type,
  state: row.state,
  attempts: row.attempts,
  last_error: row.last_error
})
