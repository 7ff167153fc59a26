import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'

export const agentNotFound = defineProblem({
  status: 404,
  code: 'agent_not_found',
  meaning: 'No agent has this id.',
  cure: 'Check the id, or register the agent.',
  describe: (agentId: string) => `Agent \`${agentId}\` does not exist. Check the id, or register the agent.`
})
export const notOwner = defineProblem({
  status: 403,
  code: 'not_owner',
  meaning: 'The agent belongs to another user, or has no owner yet.',
  cure: 'Sign in as the agent’s owner. To own an agent without an owner, register it with your session.',
  describe: (agentId: string) => `You do not own agent \`${agentId}\`. Sign in as its owner, then retry.`
})
export const claimNeedsKey = defineProblem({
  status: 403,
  code: 'claim_needs_key',
  meaning:
    'The agent has no owner, and you have not proven that it is yours. An agent with a history, an approval request or a used key is claimed only with its key.',
  cure: 'Claim the agent with `POST /api/register`: send its key as `api_key` with your session.',
  describe: (agentId: string, why: 'in_use' | 'wrong_key' | 'not_claimed') =>
    ({
      in_use: `Agent \`${agentId}\` is already in use. Send its key as \`api_key\` to claim it.`,
      wrong_key: `The \`api_key\` is not the key of agent \`${agentId}\`. Send the agent’s own key to claim it.`,
      not_claimed: `Agent \`${agentId}\` exists and has no owner. Claim it with POST /api/register and its key, then buy credits.`
    })[why]
})
export const agentPaused = defineProblem({
  status: 403,
  code: 'agent_paused',
  meaning: 'The agent is paused: it can neither spend nor borrow nor receive credits of another agent.',
  cure: 'Ask the agent’s owner to resume it, then retry.',
  describe: (agentId: string) => `Agent \`${agentId}\` is paused. Ask its owner to resume it, then retry.`
})
export const agentRevoked = defineProblem({
  status: 409,
  code: 'agent_revoked',
  meaning: 'The agent is revoked. This is permanent.',
  cure: 'Register another agent.',
  describe: (agentId: string) => `Agent \`${agentId}\` is permanently revoked. Register another agent.`
})
export const agentOwes = defineProblem({
  status: 409,
  code: 'agent_owes',
  meaning: 'The agent owes credits from a refunded or disputed payment. It stays paused until they are settled.',
  cure: 'Buy at least `owed` credits with `POST /api/checkout`. They settle the debt first, and the agent resumes.',
  describe: (agentId: string, owedCents: number) => {
    const owed = fromCents(owedCents)
    return {
      detail: `Agent \`${agentId}\` owes ${owed} credits. Buy credits to settle them; the agent then resumes.`,
      members: { owed }
    }
  }
})
export const alreadyDecided = defineProblem({
  status: 409,
  code: 'already_decided',
  meaning: 'The approval request was already approved or rejected; this call changed nothing.',
  cure: 'The agent can request approval again with a new spend.',
  describe: (approvalId: number, decision: 'approved' | 'rejected') => ({
    detail: `Approval request ${approvalId} is already ${decision}. The agent can request the spend again.`,
    members: { decision }
  })
})
export const approvalExpired = defineProblem({
  status: 409,
  code: 'approval_expired',
  meaning: 'The approval request was not decided within 24 hours.',
  cure: 'The agent can request approval again with a new spend.',
  describe: (approvalId: number) => `Approval request ${approvalId} has expired. The agent can request the spend again.`
})
export const insufficientBalance = defineProblem({
  status: 402,
  code: 'insufficient_balance',
  meaning: 'The wallet holds less than the required amount; no credits were taken.',
  cure: '`balance` is what the wallet holds and `required` the required amount. Buy credits or lower the amount, then retry.',
  describe: (balanceCents: number, requiredCents: number) => {
    const [balance, required] = [fromCents(balanceCents), fromCents(requiredCents)]
    const detail = `The wallet holds ${balance} credits; ${required} are required. Buy credits, then retry.`
    return { detail, members: { balance, required } }
  }
})
export const balanceReserved = defineProblem({
  status: 409,
  code: 'balance_reserved',
  meaning:
    'The agent owes credits, on a loan or from a refunded or disputed payment. They stay in its wallet; only the rest can leave for another agent or repay another agent’s loan.',
  cure: '`available` can leave the wallet, of a `balance` of which `reserved` credits are owed. Lower the amount, or repay the loan with `POST /api/loans/{loan_id}/repay`.',
  describe: (agentId: string, cents: { balanceCents: number; reservedCents: number; availableCents: number }) => {
    const [balance, reserved, available] = [
      fromCents(cents.balanceCents),
      fromCents(cents.reservedCents),
      fromCents(cents.availableCents)
    ]
    return {
      detail: `Agent \`${agentId}\` owes ${reserved} of its ${balance} credits; ${available} can leave its wallet. Repay the loan or lower the amount.`,
      members: { balance, reserved, available }
    }
  }
})
export const sameAgent = defineProblem({
  status: 422,
  code: 'same_agent',
  meaning: 'The agent that pays is also the one that is paid.',
  cure: 'Name another agent of yours as `to_agent_id`.',
  describe: (agentId: string) => `Agent \`${agentId}\` cannot transfer credits to itself. Name another agent of yours.`
})
export const tooManyPending = defineProblem({
  status: 429,
  code: 'too_many_pending',
  meaning: 'The agent has 20 approval requests that its owner has not decided; no request was made.',
  cure: 'Wait until the owner decides, or until the oldest request expires after 24 hours. `Retry-After` is a good time to try again.',
  describe: () => ({
    detail: 'The agent has 20 undecided approval requests. Ask its owner to decide them, then retry.',
    headers: { 'retry-after': '60' }
  })
})
