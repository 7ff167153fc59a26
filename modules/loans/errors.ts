import { defineProblem, ProblemError } from '../../plugins/errors/problem.ts'
import { agentNotEnrolled } from '../bureau/index.ts'

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
export const agentPaused = defineProblem({
  status: 403,
  code: 'agent_paused',
  meaning: 'The agent is paused: it can neither spend nor borrow.',
  cure: 'The agent’s owner can resume it.'
})
export const insufficientBalance = defineProblem({
  status: 402,
  code: 'insufficient_balance',
  meaning: 'The wallet holds less than is needed; nothing was taken.',
  cure: '`balance` is what it holds, `required` what is needed. Buy credits or ask for less, and try again.'
})

/** The bureau's own error under the status that it has here: not the agent is missing, but its permission to borrow. */
export const notEnrolled = (agentId: string): ProblemError =>
  new ProblemError({ ...agentNotEnrolled.kind, status: 403 }, `The agent ${agentId} is not enrolled. Enrol it with POST /v2/api/register.`)
