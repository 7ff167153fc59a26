import { invalidFields, notFound } from '../../plugins/http/errors/kinds.ts'
import { defineProblem, ProblemError } from '../../plugins/http/errors/problem.ts'

const enrolmentMissing = defineProblem({
  status: 404,
  code: 'not_enrolled',
  meaning: 'The agent is not enrolled in the credit bureau.',
  cure: 'Enrol the agent with `POST /v2/api/register`; no credential is required.',
  describe: (agentId: string) => `Agent \`${agentId}\` is not enrolled. Enrol it with POST /v2/api/register.`
})
/** @param status 403 when enrolment is a condition of the operation, such as of borrowing */
export const notEnrolled = (agentId: string, status: 403 | 404 = 404): ProblemError => {
  const { kind, detail } = enrolmentMissing(agentId)
  return new ProblemError({ ...kind, status }, detail)
}
export const selfReport = defineProblem({
  status: 403,
  code: 'self_report',
  meaning: 'An agent called an operation of furnishers. Agents cannot report, because scores decide on loans.',
  cure: 'Let a furnisher report, with a partner key or a token that has the scope `bureau:write`.',
  describe: () => 'Agents cannot report to the bureau. Use a partner key or a token with bureau:write.'
})
export const alreadyClosed = defineProblem({
  status: 409,
  code: 'already_closed',
  meaning: 'The credit account is already closed.',
  cure: 'Nothing is left to do; `GET /v2/api/score` lists the open accounts.',
  describe: (accountId: number, closedAt: Date) =>
    `Account ${accountId} was closed on ${closedAt.toISOString().slice(0, 10)}.`
})

export const accountNotFound = (accountId: number, agentId: string) =>
  notFound(`You have no account ${accountId} for agent \`${agentId}\`.`)

/** The 400 of a request that lacks fields which its action requires. @param fields the action's fields; the undefined ones are reported */
export const fieldsRequired = (action: string, fields: Record<string, unknown>) =>
  invalidFields(
    Object.keys(fields)
      .filter((field) => fields[field] === undefined)
      .map((field) => ({ path: `body/${field}`, message: `is required when action is ${action}` }))
  )
