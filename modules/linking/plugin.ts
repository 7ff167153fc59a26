import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/linking.ts'
import { startBackgroundSync } from './background-sync.ts'
import { itemHandlers } from './handlers/items.ts'
import { linkHandlers } from './handlers/link.ts'
import { sandboxHandlers } from './handlers/sandbox.ts'
import { transactionHandlers } from './handlers/transactions.ts'
import { webhookHandlers } from './handlers/webhook.ts'
import { syncOf } from './sync.ts'

const requestsSync: ReadonlySet<string | undefined> = new Set(['linkAccounts', 'receivePlaidWebhook'])

const linking: FastifyPluginAsync = async (app) => {
  const sync = syncOf(app)
  const runBackgroundSync = startBackgroundSync(app, sync)
  // `onResponse` runs after the commit of the sync request.
  app.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode === 200 && requestsSync.has(request.routeOptions.config.operation?.operationId))
      runBackgroundSync()
  })
  bindOperations(app, operations, {
    ...linkHandlers(app),
    ...sandboxHandlers(app),
    ...itemHandlers(app),
    ...transactionHandlers(app, sync),
    ...webhookHandlers(app)
  })
}

export default linking
