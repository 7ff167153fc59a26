import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { newId } from '../../plugins/ids.ts'
import { hasUnpublishedEvents, holdEndpoints, insertDeliveries, lockPublishing, numberEvents, releaseDeliveries, type NewDelivery } from './queries/publishing.ts'
import { subscribes, testEventType } from './subscriptions.ts'

const batchSize = 200

/**
 * Gives committed events their sequences and fans them out to the endpoints that are subscribed, in one transaction: a process that dies in it leaves
 * everything to the next one.
 * @returns how many events were published.
 */
const publishBatch = async ({ clock, database }: FastifyInstance): Promise<number> =>
  await transact(database.db, async (trx) => {
    await lockPublishing(trx)
    const now = clock.now()
    const events = await numberEvents(trx, batchSize, now)
    if (events.length === 0) return 0
    const endpoints = await holdEndpoints(trx, [...new Set(events.map((event) => event.partner_id))])
    // A test is for one endpoint, and its delivery was made together with it.
    const [tests, others] = [events.filter(({ type }) => type === testEventType), events.filter(({ type }) => type !== testEventType)]
    const deliveries = others.flatMap((event): NewDelivery[] =>
      endpoints
        .filter((endpoint) => endpoint.partner_id === event.partner_id && subscribes(endpoint.events, event.type))
        .map((endpoint) => ({ id: newId('dlv'), webhookId: endpoint.id, eventId: event.id, sequence: event.sequence }))
    )
    await insertDeliveries(trx, deliveries, now)
    await releaseDeliveries(
      trx,
      tests.map((event) => event.id)
    )
    return events.length
  })

/** Publishes all that is committed, and tells how many events that were. */
export const publishEvents = async (app: FastifyInstance): Promise<number> => {
  if (!(await hasUnpublishedEvents(app.database.db))) return 0
  let published = 0
  for (;;) {
    const count = await publishBatch(app)
    published += count
    if (count < batchSize) return published
  }
}
