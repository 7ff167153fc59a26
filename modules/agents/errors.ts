import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'

export const agentNotFound = defineProblem({
  status: 404,
  code: 'agent_not_found',
  meaning: 'There is no agent with this id.',
  cure: 'Check the id, or register the agent.'
})
export const notOwner = defineProblem({
  status: 403,
  code: 'not_owner',
  meaning: 'The agent belongs to somebody else, or to nobody yet.',
  cure: 'Sign in as the agent’s owner. An agent without an owner becomes yours when you register it with your session.'
})
export const claimNeedsKey = defineProblem({
  status: 403,
  code: 'claim_needs_key',
  meaning: 'The agent has no owner and is in use already: it has a balance, a history or a key that was used.',
  cure: 'Send the agent’s key as `api_key` beside your session, to show that the agent is yours.'
})
export const agentPaused = defineProblem({
  status: 403,
  code: 'agent_paused',
  meaning: 'The agent is paused: it can neither spend nor borrow.',
  cure: 'The agent’s owner can resume it.'
})
export const agentRevoked = defineProblem({
  status: 409,
  code: 'agent_revoked',
  meaning: 'The agent was revoked, which is for good.',
  cure: 'Register another agent.'
})
export const alreadyDecided = defineProblem({
  status: 409,
  code: 'already_decided',
  meaning: 'The approval request was approved or rejected before; nothing happened this time.',
  cure: 'The agent can ask again with a new spend.'
})
export const approvalExpired = defineProblem({
  status: 409,
  code: 'approval_expired',
  meaning: 'The approval request was not decided within 24 hours.',
  cure: 'The agent can ask again with a new spend.'
})
export const insufficientBalance = defineProblem({
  status: 402,
  code: 'insufficient_balance',
  meaning: 'The wallet holds less than is needed; nothing was taken.',
  cure: '`balance` is what it holds, `required` what is needed. Buy credits or ask for less, and try again.'
})

export const isRevoked = () => agentRevoked('This agent was revoked for good.')
export const isPaused = () => agentPaused('This agent is paused. Its owner can resume it.')
export const noSuchAgent = () => agentNotFound('There is no agent with this id.')
export const notYours = () => notOwner('This agent is not yours.')

/** The 402 of a wallet that holds too little. */
export const holdsTooLittle = (balanceCents: number, requiredCents: number) =>
  insufficientBalance(
    `The wallet holds ${fromCents(balanceCents)} credits, and ${fromCents(requiredCents)} are needed. Buy credits first.`,
    {
      balance: fromCents(balanceCents),
      required: fromCents(requiredCents)
    }
  )
