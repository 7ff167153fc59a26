import type { FastifyInstance } from 'fastify'
import { fromCents, toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { pageOf, readPosition } from '../../plugins/paging/pages.ts'
import type { operations } from '../../spec/generated/loans.ts'
import { borrow, repay } from './lending.ts'
import { listLoans } from './queries.ts'
import { toDisbursement, toLoan } from './wire.ts'

const listName = 'loans'

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  async requestLoan({ db, body, caller }) {
    return toDisbursement(await borrow(app, db, caller.agentId, toCents(body.amount), body.purpose ?? null))
  },

  async listLoans({ db, query, caller }) {
    const { agentId } = caller
    const found = await listLoans(db, agentId, readPosition(app.cursors, listName, query.cursor), query.limit + 1)
    const { rows, nextCursor } = pageOf(found, query.limit, (last) => app.cursors.encode(listName, [last.id]))
    return { agent_id: agentId, loans: rows.map(toLoan), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async repayLoan({ db, params, body, caller }) {
    const loanId = Number(params.loan_id)
    const { paidCents, outstandingCents, status } = await repay(app, db, caller.agentId, loanId, toCents(body.amount))
    return { ok: true, loan_id: loanId, repaid: fromCents(paidCents), outstanding: fromCents(outstandingCents), status }
  }
})
