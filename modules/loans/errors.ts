import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const ineligible = defineProblem({
  status: 403,
  code: 'ineligible',
  meaning: 'The agent’s credit score is below the lowest band of loans.',
  cure: '`next_band` names the score that is needed and the limit it gives; payments in time, reported to the bureau, raise the score.'
})
export const existingLoan = defineProblem({
  status: 409,
  code: 'existing_loan',
  meaning: 'The agent has a loan that is not paid back yet, and has one at a time.',
  cure: 'Pay `outstanding` back with `POST /api/loans/{loan_id}/repay`, then ask again.'
})
export const alreadyRepaid = defineProblem({
  status: 409,
  code: 'already_repaid',
  meaning: 'Nothing of the loan is outstanding any more.',
  cure: 'Nothing is left to do; `GET /api/loans` lists what is outstanding.'
})
