import { notFound, validationFailed } from '../../plugins/http/errors/kinds.ts'
import { defineProblem, ProblemError } from '../../plugins/http/errors/problem.ts'

const notEnrolledProblem = defineProblem({
  status: 404,
  code: 'not_enrolled',
  meaning: 'The agent is not enrolled in the credit bureau.',
  cure: 'Enrol the agent with `POST /v2/api/register`; no credential is required.'
})
/** @param status 403 when enrolment is a condition of the operation, such as of borrowing */
export const notEnrolled = (agentId: string, status: 403 | 404 = 404): ProblemError =>
  new ProblemError(
    { ...notEnrolledProblem.kind, status },
    `Agent \`${agentId}\` is not enrolled. Enrol it with POST /v2/api/register.`
  )

const selfReportProblem = defineProblem({
  status: 403,
  code: 'self_report',
  meaning:
    'An agent called an operation of furnishers. Agents cannot report, because their scores decide on their loans.',
  cure: 'Let a furnisher report, with a partner key or a token that has the scope `bureau:write`.'
})
export const selfReport = () =>
  selfReportProblem('Agents cannot report to the bureau. Use a partner key or a token with bureau:write.')

const alreadyClosedProblem = defineProblem({
  status: 409,
  code: 'already_closed',
  meaning: 'The credit account is already closed.',
  cure: 'Nothing is left to do; `GET /v2/api/score` lists the open accounts.'
})
export const alreadyClosed = (accountId: number, closedAt: Date) =>
  alreadyClosedProblem(`Account ${accountId} was closed on ${closedAt.toISOString().slice(0, 10)}.`)

export const accountNotFound = (accountId: number, agentId: string) =>
  notFound(`You have no account ${accountId} for agent \`${agentId}\`.`)

/** The 400 of a request that lacks fields that its action requires. @param fields those of the action; the undefined ones are reported */
export const fieldsRequired = (action: string, fields: Record<string, unknown>) => {
  const errors = Object.keys(fields)
    .filter((field) => fields[field] === undefined)
    .map((field) => ({ path: `body/${field}`, message: `is required when action is ${action}` }))
  const paths = errors.map(({ path }) => path).join(', ')
  return validationFailed(
    `The request has ${errors.length} invalid field${errors.length === 1 ? '' : 's'}: ${paths}.`,
    {
      errors
    }
  )
}
