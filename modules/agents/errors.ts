import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'

const agentNotFoundProblem = defineProblem({
  status: 404,
  code: 'agent_not_found',
  meaning: 'No agent has this id.',
  cure: 'Check the id, or register the agent.'
})
export const agentNotFound = (agentId: string) =>
  agentNotFoundProblem(`Agent \`${agentId}\` does not exist. Check the id, or register the agent.`)

const notOwnerProblem = defineProblem({
  status: 403,
  code: 'not_owner',
  meaning: 'The agent belongs to another user, or has no owner yet.',
  cure: 'Sign in as the agent’s owner. To own an agent without an owner, register it with your session.'
})
export const notOwner = (agentId: string) =>
  notOwnerProblem(`You do not own agent \`${agentId}\`. Sign in as its owner, then retry.`)

const claimNeedsKeyProblem = defineProblem({
  status: 403,
  code: 'claim_needs_key',
  meaning: 'The agent has no owner and is in use: it has a history, an approval request or a key that was used.',
  cure: 'Send the agent’s key as `api_key` with your session to prove that the agent is yours.'
})
/** @param reason whether the claim had no key, or a key that is not the agent's */
export const claimNeedsKey = (agentId: string, reason: 'missing' | 'wrong') =>
  claimNeedsKeyProblem(
    reason === 'missing'
      ? `Agent \`${agentId}\` is already in use. Send its key as \`api_key\` to claim it.`
      : `The \`api_key\` is not the key of agent \`${agentId}\`. Send the agent’s own key to claim it.`
  )

const agentPausedProblem = defineProblem({
  status: 403,
  code: 'agent_paused',
  meaning: 'The agent is paused: it can neither spend nor borrow.',
  cure: 'Ask the agent’s owner to resume it, then retry.'
})
export const agentPaused = (agentId: string) =>
  agentPausedProblem(`Agent \`${agentId}\` is paused. Ask its owner to resume it, then retry.`)

const agentRevokedProblem = defineProblem({
  status: 409,
  code: 'agent_revoked',
  meaning: 'The agent is revoked. This is permanent.',
  cure: 'Register another agent.'
})
export const agentRevoked = (agentId: string) =>
  agentRevokedProblem(`Agent \`${agentId}\` is permanently revoked. Register another agent.`)

const alreadyDecidedProblem = defineProblem({
  status: 409,
  code: 'already_decided',
  meaning: 'The approval request was already approved or rejected; this call changed nothing.',
  cure: 'The agent can request approval again with a new spend.'
})
export const alreadyDecided = (approvalId: number, decision: 'approved' | 'rejected') =>
  alreadyDecidedProblem(
    `Approval request ${approvalId} is already ${decision}. The agent can request the spend again.`,
    { decision }
  )

const approvalExpiredProblem = defineProblem({
  status: 409,
  code: 'approval_expired',
  meaning: 'The approval request was not decided within 24 hours.',
  cure: 'The agent can request approval again with a new spend.'
})
export const approvalExpired = (approvalId: number) =>
  approvalExpiredProblem(`Approval request ${approvalId} has expired. The agent can request the spend again.`)

const insufficientBalanceProblem = defineProblem({
  status: 402,
  code: 'insufficient_balance',
  meaning: 'The wallet holds less than the required amount; no credits were taken.',
  cure: '`balance` is what the wallet holds and `required` the required amount. Buy credits or lower the amount, then retry.'
})
export const insufficientBalance = (balanceCents: number, requiredCents: number) => {
  const [balance, required] = [fromCents(balanceCents), fromCents(requiredCents)]
  return insufficientBalanceProblem(
    `The wallet holds ${balance} credits; ${required} are required. Buy credits, then retry.`,
    {
      balance,
      required
    }
  )
}
