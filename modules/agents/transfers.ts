import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../plugins/access/caller.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { fromCents } from '../../plugins/money.ts'
import { agentOwes, agentPaused, agentRevoked, balanceReserved, insufficientBalance, sameAgent } from './errors.ts'
import { lockOwnAgent } from './ownership.ts'
import type { Agent } from './queries/agents.ts'

type Wallets = Pick<FastifyInstance, 'ledger' | 'reserves'>

/**
 * Requires that an amount can leave an agent's wallet for another one. What the agent owes, on a loan or for a reversed payment, stays: otherwise its owner could move
 * borrowed credits away and let the loan default. Locks the wallet.
 * @throws ProblemError 402 `insufficient_balance`, 409 `balance_reserved`
 */
export const requireFreeBalance = async (
  { ledger, reserves }: Wallets,
  trx: Trx,
  { agentId, owedCents }: Pick<Agent, 'agentId' | 'owedCents'>,
  amountCents: number
): Promise<void> => {
  const balanceCents = await ledger.lockBalance(trx, agentId)
  if (amountCents > balanceCents) throw insufficientBalance(balanceCents, amountCents)
  const reservedCents = owedCents + (await reserves.of(trx, agentId))
  const availableCents = Math.max(0, balanceCents - reservedCents)
  if (amountCents > availableCents) throw balanceReserved(agentId, { balanceCents, reservedCents, availableCents })
}

/** @throws ProblemError 409 `agent_revoked` or `agent_owes`, 403 `agent_paused` */
const requireReceiving = ({ agentId, status, owedCents }: Agent): void => {
  if (status === 'revoked') throw agentRevoked(agentId)
  if (owedCents > 0) throw agentOwes(agentId, owedCents)
  if (status === 'paused') throw agentPaused(agentId)
}

/** Locks both agents in one order everywhere, so that two transfers never wait for each other. */
const lockBoth = async (trx: Trx, fromId: string, toId: string, owner: SessionCaller): Promise<[Agent, Agent]> => {
  if (fromId === toId) {
    await lockOwnAgent(trx, fromId, owner)
    throw sameAgent(fromId)
  }
  if (fromId < toId) return [await lockOwnAgent(trx, fromId, owner), await lockOwnAgent(trx, toId, owner)]
  const to = await lockOwnAgent(trx, toId, owner)
  return [await lockOwnAgent(trx, fromId, owner), to]
}

export interface CreditTransfer {
  fromId: string
  toId: string
  amountCents: number
}

/**
 * Moves credits between two agents of one owner, and publishes that to their partners. The history of a wallet is public, so its description names neither agent.
 * @throws ProblemError 404 `agent_not_found`, 403 `not_owner` or `agent_paused`, 422 `same_agent`, 409 `agent_revoked`, `agent_owes` or `balance_reserved`,
 *   402 `insufficient_balance`
 */
export const transferCredits = async (
  app: Wallets & Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  owner: SessionCaller,
  { fromId, toId, amountCents }: CreditTransfer
) => {
  const [from, to] = await lockBoth(trx, fromId, toId, owner)
  requireReceiving(to)
  await requireFreeBalance(app, trx, from, amountCents)
  const posted = await app.ledger.post(trx, {
    walletId: fromId,
    toWalletId: toId,
    type: 'transfer',
    amountCents,
    description: 'Transfer between agents of one owner'
  })
  if (!posted.posted) throw insufficientBalance(posted.balanceCents, amountCents)
  const transfer = {
    agent_id: fromId,
    to_agent_id: toId,
    amount: fromCents(amountCents),
    balance: fromCents(posted.balanceCents),
    to_balance: fromCents((await app.ledger.balance(trx, toId)) ?? 0),
    transaction_id: posted.transactionId
  }
  const partnerIds = new Set([from.ownerPartnerId, to.ownerPartnerId].filter((id) => id !== null))
  await app.outbox.publish(
    trx,
    [...partnerIds].map((partnerId) => ({ partnerId, type: 'agent.transfer' as const, data: transfer }))
  )
  return transfer
}
