import type { FastifyInstance } from 'fastify'
import type { AgentCaller, SessionCaller } from '../../plugins/access/caller.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { findAgent, findOwnAgent, insufficientBalance, notOwner, requireFreeBalance } from '../agents/index.ts'
import { alreadyRepaid } from './errors.ts'
import { publish, recordLapses, reportLoan, type Lending } from './lending.ts'
import { findLoan, lastOnTime, lockLoan, updateLoan, type Loan } from './queries.ts'
import { isOnTimeReport, outstandingOf } from './schedule.ts'

type Repaying = Lending & Pick<FastifyInstance, 'reserves'>

export interface Repayment {
  loanId: number
  amountCents: number
  /** The agent whose wallet pays; undefined for the borrower. */
  payerId: string | undefined
}

/** The borrower of a loan, when the caller is that agent or its owner. */
const borrowerOf = async (
  trx: Trx,
  loanId: number,
  caller: AgentCaller | SessionCaller
): Promise<string | undefined> => {
  if (caller.kind === 'agent_key') return caller.agentId
  const loan = await findLoan(trx, loanId)
  const agent = loan && (await findAgent(trx, loan.agentId))
  return agent?.ownerUserId === caller.userId ? agent.agentId : undefined
}

/**
 * Requires that another agent than the borrower may pay. What that agent owes itself stays in its wallet, so that one loan never repays another.
 * @throws ProblemError 403 `not_owner`, 404 `agent_not_found`, 402 `insufficient_balance`, 409 `balance_reserved`
 */
const requirePayer = async (
  app: Repaying,
  trx: Trx,
  payerId: string,
  caller: AgentCaller | SessionCaller,
  amountCents: number
): Promise<void> => {
  if (caller.kind === 'agent_key') throw notOwner(payerId)
  await requireFreeBalance(app, trx, await findOwnAgent(trx, payerId, caller), amountCents)
}

/** Books what was paid, with the lapses of the loan until now, and reports a loan that is repaid in full and on time. */
const settle = async (app: Repaying, trx: Trx, locked: Loan, paidCents: number) => {
  const now = app.clock.now()
  // A late repayment counts as late even before the job has recorded it.
  const loan = await recordLapses(app, trx, locked)
  const repaidCents = loan.amountRepaidCents + paidCents
  if (repaidCents < loan.amountCents) {
    await updateLoan(trx, loan.id, { amountRepaidCents: repaidCents })
    return { paidCents, outstandingCents: loan.amountCents - repaidCents, status: loan.status }
  }
  const isOnTime = isOnTimeReport(loan, await lastOnTime(trx, loan.agentId), now)
  const onTimeAt = isOnTime ? now : null
  await updateLoan(trx, loan.id, { amountRepaidCents: repaidCents, status: 'repaid', repaidAt: now, onTimeAt })
  if (isOnTime) await reportLoan(app, trx, loan, 'payment_ontime')
  await publish(app, trx, 'loan.repaid', loan)
  return { paidCents, outstandingCents: 0, status: 'repaid' as const }
}

/**
 * Repays a loan or a part of it, never more than is outstanding. Its agent repays it, or the agent's owner, who can also let another of their agents pay.
 * @throws ProblemError 404 for another agent's loan; 409 `already_repaid`; 402 `insufficient_balance`; for another payer also as `requirePayer`
 */
export const repay = async (
  app: Repaying,
  trx: Trx,
  caller: AgentCaller | SessionCaller,
  { loanId, amountCents, payerId }: Repayment
): Promise<{ paidCents: number; outstandingCents: number; status: Loan['status'] }> => {
  const borrowerId = await borrowerOf(trx, loanId, caller)
  const loan = borrowerId === undefined ? undefined : await lockLoan(trx, loanId, borrowerId)
  if (loan === undefined) throw notFound(`You have no loan ${loanId}.`)
  if (loan.repaidAt !== null) throw alreadyRepaid(loanId, loan.repaidAt)
  const paidCents = Math.min(amountCents, outstandingOf(loan))
  const walletId = payerId ?? loan.agentId
  if (walletId !== loan.agentId) await requirePayer(app, trx, walletId, caller, paidCents)
  const posted = await app.ledger.post(trx, {
    walletId,
    type: 'repayment',
    amountCents: paidCents,
    description: `Repayment of loan ${loanId}`
  })
  if (!posted.posted) throw insufficientBalance(posted.balanceCents, paidCents)
  return await settle(app, trx, loan, paidCents)
}
