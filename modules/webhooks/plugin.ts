import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { createOutbound } from '../../plugins/outbound/index.ts'
import { operations } from '../../spec/generated/webhooks.ts'
import { deleteExpiredEvents } from './expiry.ts'
import { deliveryHandlers } from './handlers/deliveries.ts'
import { endpointHandlers } from './handlers/endpoints.ts'
import { eventHandlers } from './handlers/events.ts'
import { attemptTimeoutMs } from './posting.ts'
import { createPump } from './pump.ts'
import { countDue } from './queries/deliveries.ts'

const expiryIntervalMs = 3_600_000
/** A longer queue is as bad, and takes long to count. */
const mostCounted = 10_000

const webhooks: FastifyPluginAsync = async (app) => {
  const outbound = createOutbound({ allowPrivate: app.config.webhookAllowPrivate, connectTimeoutMs: attemptTimeoutMs })
  const pump = createPump(app, outbound)
  app.outbox.carriedBy(pump)
  bindOperations(app, operations, {
    ...endpointHandlers(app),
    ...deliveryHandlers(app, () => pump.wake()),
    ...eventHandlers(app)
  })
  app.jobs.every('delete expired events', expiryIntervalMs, () => deleteExpiredEvents(app))
  app.metrics.gauge(
    {
      name: 'atlas_webhook_deliveries_due',
      help: `Deliveries that are due and not sent yet; no more than ${mostCounted} are counted.`
    },
    () => countDue(app.database.db, app.clock.now(), mostCounted)
  )
  app.addHook('onReady', () => pump.start())
  app.addHook('preClose', () => pump.stop())
  app.addHook('onClose', () => outbound.destroy())
}

export default webhooks
