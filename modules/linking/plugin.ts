import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/linking.ts'
import { startBackgroundSync } from './background.ts'
import { itemHandlers } from './handlers/items.ts'
import { linkHandlers } from './handlers/link.ts'
import { sandboxHandlers } from './handlers/sandbox.ts'
import { transactionHandlers } from './handlers/transactions.ts'
import { webhookHandlers } from './handlers/webhook.ts'
import { syncerOf } from './sync.ts'

const beginsSync: ReadonlySet<string | undefined> = new Set(['linkAccounts', 'receivePlaidWebhook'])

const linking: FastifyPluginAsync = async (app) => {
  const sync = syncerOf(app)
  const wakeBackgroundSync = startBackgroundSync(app, sync)
  // After the answer, when what asks for a sync is committed.
  app.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode === 200 && beginsSync.has(request.routeOptions.config.operation?.operationId))
      wakeBackgroundSync()
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
