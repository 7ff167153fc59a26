import type { FastifyPluginAsync } from 'fastify'
import { checkDaily } from '../../plugins/database/daily-check.ts'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/bureau.ts'
import { checkCounters } from './check.ts'
import { dropUnconfirmed } from './disputes.ts'
import { excludeReportsOfOwner } from './furnishing.ts'
import { handlers } from './handlers.ts'

const hourMs = 3_600_000

const bureau: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
  app.agentOwners.react('bureau', (trx, agent) => excludeReportsOfOwner(app, trx, agent))
  app.jobs.every('drop disputed reports', hourMs, () => dropUnconfirmed(app))
  // Tried every hour, so that a server that restarts every day is checked too.
  app.jobs.every('bureau', hourMs, () => checkDaily(app.database.db, 'bureau', app.clock.now(), checkCounters))
}

export default bureau
