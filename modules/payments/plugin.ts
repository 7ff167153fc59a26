import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/payments.ts'
import { startBackgroundWork } from './background.ts'
import { recipientHandlers } from './handlers/recipients.ts'
import { sandboxHandlers } from './handlers/sandbox.ts'
import { transferHandlers } from './handlers/transfers.ts'
import { rejectWhileUnderWay } from './item-removal.ts'

const payments: FastifyPluginAsync = async (app) => {
  startBackgroundWork(app)
  app.plaid.beforeItemRemoval(rejectWhileUnderWay)
  bindOperations(app, operations, { ...transferHandlers(app), ...recipientHandlers(app), ...sandboxHandlers(app) })
}

export default payments
