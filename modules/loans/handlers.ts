import type { FastifyInstance } from 'fastify'
import { fromCents, toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { pageOf, readPosition } from '../../plugins/paging/pages.ts'
import type { operations } from '../../spec/generated/loans.ts'
import { borrow, repay, type Disbursement } from './lending.ts'
import { listLoans, type Loan } from './queries.ts'
import { nextBand } from './underwriting.ts'

const listName = 'loans'

const toLoan = (loan: Loan) => ({
  id: loan.id,
  amount: fromCents(loan.amountCents),
  amount_repaid: fromCents(loan.amountRepaidCents),
  outstanding: fromCents(loan.amountCents - loan.amountRepaidCents),
  status: loan.status,
  purpose: loan.purpose,
  requested_at: loan.requestedAt.toISOString(),
  due_at: loan.dueAt.toISOString(),
  repaid_at: loan.repaidAt?.toISOString() ?? null
})

/** Says what was paid out, and when that is less than was asked for, why and what would give more. */
const messageOf = ({ loanId, amountCents, score }: Disbursement, requestedCents: number): string => {
  const how = `Repay via POST /api/loans/${loanId}/repay.`
  if (amountCents === requestedCents) return `${fromCents(amountCents)} credits disbursed. ${how}`
  const next = nextBand(score)
  const more = next === undefined ? '' : `; from ${next.minimumScore} on it is ${fromCents(next.limitCents)}`
  return `${fromCents(amountCents)} of ${fromCents(requestedCents)} credits disbursed, the most that a score of ${score} gives${more}. ${how}`
}

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  async requestLoan({ db, body, caller }) {
    const requestedCents = toCents(body.amount)
    const loan = await borrow(app, db, caller.agentId, requestedCents, body.purpose ?? null)
    return {
      ok: true,
      loan_id: loan.loanId,
      requested: body.amount,
      approved: fromCents(loan.amountCents),
      score: loan.score,
      limit: fromCents(loan.limitCents),
      message: messageOf(loan, requestedCents)
    }
  },

  async listLoans({ db, query, caller }) {
    const found = await listLoans(
      db,
      caller.agentId,
      readPosition(app.cursors, listName, query.cursor),
      query.limit + 1
    )
    const { rows, nextCursor } = pageOf(found, query.limit, (last) => app.cursors.encode(listName, [last.id]))
    return { agent_id: caller.agentId, loans: rows.map(toLoan), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async repayLoan({ db, params, body, caller }) {
    const loanId = Number(params.loan_id)
    const { paidCents, outstandingCents, status } = await repay(app, db, caller.agentId, loanId, toCents(body.amount))
    return { ok: true, loan_id: loanId, repaid: fromCents(paidCents), outstanding: fromCents(outstandingCents), status }
  }
})
