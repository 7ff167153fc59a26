import { fromCents } from '../../plugins/money.ts'
import type { Disbursement } from './lending.ts'
import type { Loan } from './queries.ts'
import { outstandingOf } from './schedule.ts'
import { nextBand } from './underwriting.ts'

export const toLoan = (loan: Loan) => ({
  id: loan.id,
  amount: fromCents(loan.amountCents),
  amount_repaid: fromCents(loan.amountRepaidCents),
  outstanding: fromCents(outstandingOf(loan)),
  status: loan.status,
  purpose: loan.purpose,
  requested_at: loan.requestedAt.toISOString(),
  due_at: loan.dueAt.toISOString(),
  repaid_at: loan.repaidAt?.toISOString() ?? null
})

/** States the disbursed amount; when the score limits it, also the score that allows more. */
const toMessage = ({ loanId, amountCents, requestedCents, score }: Disbursement): string => {
  const amount = fromCents(amountCents)
  const repay = `Repay via POST /api/loans/${loanId}/repay.`
  if (amountCents === requestedCents) return `${amount} credits disbursed. ${repay}`
  const next = nextBand(score)
  const more =
    next === undefined ? '' : `; a score of ${next.minimumScore} raises the limit to ${fromCents(next.limitCents)}`
  return `${amount} of ${fromCents(requestedCents)} credits disbursed, the limit for a score of ${score}${more}. ${repay}`
}

export const toDisbursement = (disbursement: Disbursement) => ({
  ok: true as const,
  loan_id: disbursement.loanId,
  requested: fromCents(disbursement.requestedCents),
  approved: fromCents(disbursement.amountCents),
  score: disbursement.score,
  limit: fromCents(disbursement.limitCents),
  message: toMessage(disbursement)
})
