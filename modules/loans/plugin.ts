import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/loans.ts'
import { handlers } from './handlers.ts'
import { recordOverdueLoans } from './lending.ts'
import { assignLoan, findOutstanding } from './queries.ts'
import { outstandingOf } from './schedule.ts'

const minuteMs = 60_000

const loans: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
  app.agentOwners.react('loans', assignLoan)
  app.reserves.keep(async (trx, agentId) => {
    const loan = await findOutstanding(trx, agentId)
    return loan === undefined ? 0 : outstandingOf(loan)
  })
  app.jobs.every('loans', minuteMs, () => recordOverdueLoans(app))
}

export default loans
