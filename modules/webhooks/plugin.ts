import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { createOutbound } from '../../plugins/outbound/index.ts'
import { operations } from '../../spec/generated/webhooks.ts'
import { attemptTimeoutMs } from './attempt.ts'
import { createDeliveryWorker } from './delivery-worker.ts'
import { deleteExpiredEvents } from './events.ts'
import { deliveryHandlers } from './handlers/deliveries.ts'
import { endpointHandlers } from './handlers/endpoints.ts'
import { eventHandlers } from './handlers/events.ts'
import { countDue } from './queries/deliveries.ts'

const expiryIntervalMs = 3_600_000
/** Bounds the cost of counting a long queue. */
const maxCounted = 10_000

const webhooks: FastifyPluginAsync = async (app) => {
  const outbound = createOutbound({ allowPrivate: app.config.webhookAllowPrivate, connectTimeoutMs: attemptTimeoutMs })
  const worker = createDeliveryWorker(app, outbound)
  app.outbox.carriedBy(worker)
  bindOperations(app, operations, {
    ...endpointHandlers(app),
    ...deliveryHandlers(app, () => worker.wake()),
    ...eventHandlers(app)
  })
  app.jobs.every('delete expired events', expiryIntervalMs, () => deleteExpiredEvents(app))
  app.metrics.gauge(
    {
      name: 'atlas_webhook_deliveries_due',
      help: `Deliveries that are due, counted up to ${maxCounted}.`
    },
    () => countDue(app.database.db, app.clock.now(), maxCounted)
  )
  app.addHook('onReady', () => worker.start())
  app.addHook('preClose', () => worker.stop())
  app.addHook('onClose', () => outbound.destroy())
}

export default webhooks
