import { invalidFields, notFound } from '../../plugins/http/errors/kinds.ts'
import { defineProblem, ProblemError } from '../../plugins/http/errors/problem.ts'
import type { EventState } from './states.ts'

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
  meaning:
    'An agent called an operation of furnishers, or a partner reported on an agent of its own. Neither is possible, because scores decide on loans.',
  cure: 'Let another partner report, with a partner key or a token that has the scope `bureau:write`.',
  describe: (by: 'agent' | 'owner') =>
    ({
      agent: 'Agents cannot report to the bureau. Use a partner key or a token with bureau:write.',
      owner: 'You own this agent, and partners cannot report on their own agents. Let another partner report.'
    })[by]
})
export const furnisherNotEnabled = defineProblem({
  status: 403,
  code: 'furnisher_not_enabled',
  meaning: 'In production, only partners that an operator has appointed as furnishers report, with live credentials.',
  cure: 'Ask the operator of this server to appoint you as a furnisher, and report with a live key or token.',
  describe: (why: 'not_appointed' | 'test_credential') =>
    ({
      not_appointed: 'You are not a furnisher of this server’s bureau. Ask its operator to appoint you.',
      test_credential: 'Test credentials cannot report in production. Use a live key or token.'
    })[why]
})
export const notDisputable = defineProblem({
  status: 409,
  code: 'not_disputable',
  meaning:
    'The report cannot be disputed: it was disputed before, does not count anyway, or is of this server’s own loans.',
  cure: '`reason` says which. Nothing is left to do for a report that does not count.',
  describe: (id: number, reason: Exclude<EventState, 'counted'> | 'own_loan') => ({
    detail: {
      own_loan: `Report ${id} is of a loan of this server; its ledger is the proof. It cannot be disputed.`,
      disputed: `Report ${id} is disputed already. It does not count unless its furnisher confirms it.`,
      confirmed: `Report ${id} was disputed, and its furnisher has confirmed it. It cannot be disputed again.`,
      dropped: `Report ${id} was dropped after a dispute. It does not count.`,
      own_agent: `Report ${id} does not count, because its furnisher owns the agent.`
    }[reason],
    members: { reason }
  })
})
export const notDisputed = defineProblem({
  status: 409,
  code: 'not_disputed',
  meaning: 'The report is not under dispute, or its dispute was not answered within 30 days. Nothing was confirmed.',
  cure: 'A report without a dispute counts as it is. One that was dropped never counts again.',
  describe: (id: number, state: EventState) => ({
    detail:
      state === 'dropped'
        ? `Report ${id} was not confirmed within 30 days of its dispute. It does not count.`
        : `Report ${id} is not disputed, so there is nothing to confirm.`,
    members: { state }
  })
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

export const reportNotFound = (id: number) => notFound(`You have no report ${id}.`)

/** The 400 of a request that lacks fields which its action requires. @param fields the action's fields; the undefined ones are reported */
export const fieldsRequired = (action: string, fields: Record<string, unknown>) =>
  invalidFields(
    Object.keys(fields)
      .filter((field) => fields[field] === undefined)
      .map((field) => ({ path: `body/${field}`, message: `is required when action is ${action}` }))
  )
