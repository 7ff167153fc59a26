import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/bureau.ts'
import { checkCounters } from './check.ts'
import { handlers } from './handlers.ts'

const hourMs = 3_600_000

const bureau: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
  // Asked every hour and done once a day, so that a server which starts anew each day is checked too.
  app.jobs.every('bureau', hourMs, () => checkCounters(app.database.db, app.clock.now()))
}

export default bureau
