import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'
import { minimumScore, type Band } from './underwriting.ts'

const ineligibleProblem = defineProblem({
  status: 403,
  code: 'ineligible',
  meaning: 'The agent’s credit score is below the lowest loan band.',
  cure: '`next_band` has the required score and its limit. On-time payments that are reported to the bureau raise the score.'
})
export const ineligible = (score: number, next: Band) => {
  const limit = fromCents(next.limitCents)
  return ineligibleProblem(
    `The score of ${score} is ${next.minimumScore - score} points below ${next.minimumScore}; a score of ${next.minimumScore} allows loans of up to ${limit} credits.`,
    { score, minimum_score: minimumScore, next_band: { score: next.minimumScore, limit } }
  )
}

const existingLoanProblem = defineProblem({
  status: 409,
  code: 'existing_loan',
  meaning: 'The agent has an outstanding loan. It can have one loan at a time.',
  cure: 'Repay `outstanding` with `POST /api/loans/{loan_id}/repay`, then retry.'
})
export const existingLoan = (loanId: number, outstandingCents: number) => {
  const outstanding = fromCents(outstandingCents)
  return existingLoanProblem(
    `Loan ${loanId} has ${outstanding} credits outstanding. Repay them with POST /api/loans/${loanId}/repay, then retry.`,
    { loan_id: loanId, outstanding }
  )
}

const alreadyRepaidProblem = defineProblem({
  status: 409,
  code: 'already_repaid',
  meaning: 'The loan has nothing outstanding.',
  cure: 'Nothing is left to do; `GET /api/loans` lists what is outstanding.'
})
export const alreadyRepaid = (loanId: number, repaidAt: Date) =>
  alreadyRepaidProblem(`Loan ${loanId} was repaid in full on ${repaidAt.toISOString().slice(0, 10)}.`)
