import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'
import type { ReachedLimit } from './limits.ts'
import { minimumScore, type Band } from './underwriting.ts'

export const ineligible = defineProblem({
  status: 403,
  code: 'ineligible',
  meaning: 'The agent’s credit score is below the lowest loan band.',
  cure: '`next_band` has the required score and its limit. On-time payments that are reported to the bureau raise the score.',
  describe: (score: number, next: Band) => {
    const [required, limit] = [next.minimumScore, fromCents(next.limitCents)]
    return {
      detail: `The score of ${score} is ${required - score} points below ${required}; a score of ${required} allows loans of up to ${limit} credits.`,
      members: { score, minimum_score: minimumScore, next_band: { score: required, limit } }
    }
  }
})
const borrowers = {
  all_agents: 'all agents together',
  owner: 'the agents of one owner',
  agents_without_owner: 'all agents without an owner'
} as const

export const lendingLimit = defineProblem({
  status: 403,
  code: 'lending_limit',
  meaning:
    'The loan would exceed what this server lends to all agents, to the agents of one owner, or to agents without one.',
  cure: '`limit` names the limit, `maximum` is its amount and `available` what can still be lent. Borrow less, or retry when loans are repaid.',
  describe: ({ limit, maximumCents, availableCents }: ReachedLimit) => {
    const [maximum, available] = [fromCents(maximumCents), fromCents(availableCents)]
    return {
      detail: `This server lends at most ${maximum} credits to ${borrowers[limit]}; ${available} are available. Borrow less, or retry when loans are repaid.`,
      members: { limit, maximum, available }
    }
  }
})
export const existingLoan = defineProblem({
  status: 409,
  code: 'existing_loan',
  meaning: 'The agent has an outstanding loan. It can have one loan at a time.',
  cure: 'Repay `outstanding` with `POST /api/loans/{loan_id}/repay`, then retry.',
  describe: (loanId: number, outstandingCents: number) => {
    const outstanding = fromCents(outstandingCents)
    return {
      detail: `Loan ${loanId} has ${outstanding} credits outstanding. Repay them with POST /api/loans/${loanId}/repay, then retry.`,
      members: { loan_id: loanId, outstanding }
    }
  }
})
export const alreadyRepaid = defineProblem({
  status: 409,
  code: 'already_repaid',
  meaning: 'The loan has nothing outstanding.',
  cure: 'Nothing is left to do; `GET /api/loans` lists what is outstanding.',
  describe: (loanId: number, repaidAt: Date) =>
    `Loan ${loanId} was repaid in full on ${repaidAt.toISOString().slice(0, 10)}.`
})
