import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/loans.ts'
import { handlers } from './handlers.ts'
import { recordOverdueLoans } from './lending.ts'

const minuteMs = 60_000

const loans: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
  app.jobs.every('loans', minuteMs, () => recordOverdueLoans(app))
}

export default loans
