import type { FastifyInstance } from 'fastify'
import type { Db } from '../../plugins/database/types.ts'
import { fromCents, toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { pageOf, readPosition } from '../../plugins/paging/pages.ts'
import type { operations } from '../../spec/generated/loans.ts'
import { findOwnAgent } from '../agents/index.ts'
import { borrow } from './lending.ts'
import { listLoans } from './queries.ts'
import { repay } from './repayment.ts'
import { toDisbursement, toLoan } from './wire.ts'

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  const readLoans = async (db: Db, agentId: string, { cursor, limit }: { cursor?: string; limit: number }) => {
    const list = `loans of ${agentId}`
    const found = await listLoans(db, agentId, readPosition(app.cursors, list, cursor), limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => app.cursors.encode(list, [last.id]))
    return { agent_id: agentId, loans: rows.map(toLoan), next_cursor: nextCursor, has_more: nextCursor !== null }
  }
  return {
    async requestLoan({ db, body, caller }) {
      return toDisbursement(await borrow(app, db, caller.agentId, toCents(body.amount), body.purpose ?? null))
    },

    async listLoans({ db, query, caller }) {
      return await readLoans(db, caller.agentId, query)
    },

    async listAgentLoans({ db, params, query, caller }) {
      const { agentId } = await findOwnAgent(db, params.agent_id, caller)
      return await readLoans(db, agentId, query)
    },

    async repayLoan({ db, params, body, caller }) {
      const loanId = Number(params.loan_id)
      const repayment = { loanId, amountCents: toCents(body.amount), payerId: body.from_agent_id }
      const { paidCents, outstandingCents, status } = await repay(app, db, caller, repayment)
      return {
        ok: true,
        loan_id: loanId,
        repaid: fromCents(paidCents),
        outstanding: fromCents(outstandingCents),
        status
      }
    }
  }
}
