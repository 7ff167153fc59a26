import { defineProblem, ProblemError } from '../../plugins/http/errors/problem.ts'

const agentNotEnrolled = defineProblem({
  status: 404,
  code: 'not_enrolled',
  meaning: 'The credit bureau does not know the agent.',
  cure: 'Enrol the agent with `POST /v2/api/register`; it needs no credential.'
})
/** @param status 403 where what is missing is not the agent but its permission, such as to borrow */
export const notEnrolled = (agentId: string, status: 403 | 404 = 404): ProblemError =>
  new ProblemError(
    { ...agentNotEnrolled.kind, status },
    `The agent ${agentId} is not enrolled. Enrol it with POST /v2/api/register.`
  )

export const selfReport = defineProblem({
  status: 403,
  code: 'self_report',
  meaning: 'An agent tried to furnish the bureau. What the bureau knows comes from others, since scores become loans.',
  cure: 'Let a furnisher report, with a partner key or a token that has `bureau:write`.'
})
export const alreadyClosed = defineProblem({
  status: 409,
  code: 'already_closed',
  meaning: 'The credit account was closed before.',
  cure: 'Nothing is left to do; `GET /v2/api/score` lists the accounts that are open.'
})
