import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { agentPaused, findAgent, lockAgent } from '../agents/index.ts'
import { notEnrolled, readLendingScore, recordOwnReport, type ReportType } from '../bureau/index.ts'
import { existingLoan, ineligible, lendingLimit } from './errors.ts'
import { reachedLimit } from './limits.ts'
import { findOutstanding, insertLoan, lockLending, lockOverdue, sumOwed, updateLoan, type Loan } from './queries.ts'
import { dueAt, lapsesOf, outstandingOf } from './schedule.ts'
import { underwrite } from './underwriting.ts'

export type Lending = Pick<FastifyInstance, 'clock' | 'config' | 'ledger' | 'outbox' | 'notifications'>

const mostAttempts = 3
const batchSize = 50

type LoanEvent = 'loan.disbursed' | 'loan.repaid' | 'loan.defaulted'

/** Publishes the event to the partner of the agent's owner, if it has one, and notifies the owner of a default. */
export const publish = async (
  app: Lending,
  trx: Trx,
  type: LoanEvent,
  loan: Pick<Loan, 'id' | 'agentId'>
): Promise<void> => {
  const agent = await findAgent(trx, loan.agentId)
  if (agent === undefined || agent.ownerPartnerId === null) return
  const data = { agent_id: loan.agentId, loan_id: loan.id }
  await app.outbox.publish(trx, [{ partnerId: agent.ownerPartnerId, type, data }])
  if (type !== 'loan.defaulted' || agent.ownerUserId === null) return
  const message = `${agent.name} has not repaid loan ${loan.id}. The loan is in default; the agent can borrow again once it is repaid.`
  const text = `A loan of an agent of yours is in default (loan ${loan.id}). Sign in to AtlasForge to see it.`
  await app.notifications.notify(trx, { userId: agent.ownerUserId, type, message, text, data })
}

/** Reports a loan to the bureau. */
export const reportLoan = async (app: Lending, trx: Trx, loan: Loan, reportType: ReportType): Promise<void> => {
  const { id, agentId, amountCents } = loan
  await recordOwnReport(app, trx, { agentId, reportType, amountCents, notes: `loan ${id}` })
}

/**
 * Requires that the lending limits allow another loan; until the transaction ends, no other loan is granted.
 * @throws ProblemError 403 `lending_limit`
 */
const requireWithinLimits = async (
  { config: { lending } }: Lending,
  trx: Trx,
  ownerUserId: string | null,
  amountCents: number
): Promise<void> => {
  if (lending.mostOutstandingCents === undefined && lending.mostPerOwnerCents === undefined) return
  await lockLending(trx)
  const reached = reachedLimit(lending, await sumOwed(trx, ownerUserId), ownerUserId !== null, amountCents)
  if (reached !== undefined) throw lendingLimit(reached)
}

/**
 * Underwrites a loan and disburses it.
 * @throws ProblemError 403 `agent_paused`, `not_enrolled`, `ineligible` or `lending_limit`; 409 `existing_loan`
 */
export const borrow = async (
  app: Lending,
  trx: Trx,
  agentId: string,
  requestedCents: number,
  purpose: string | null
) => {
  const now = app.clock.now()
  const agent = await lockAgent(trx, agentId)
  if (agent?.status !== 'active') throw agentPaused(agentId)
  const score = await readLendingScore(trx, agentId, now)
  if (score === undefined) throw notEnrolled(agentId, 403)
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const outstanding = await findOutstanding(trx, agentId)
    if (outstanding !== undefined) throw existingLoan(outstanding.id, outstandingOf(outstanding))
    const decision = underwrite(score, requestedCents)
    if (!decision.approved) throw ineligible(score, decision.nextBand)
    const { amountCents, limitCents } = decision
    const { ownerUserId } = agent
    await requireWithinLimits(app, trx, ownerUserId, amountCents)
    const terms = { requestedCents, amountCents, limitCents, score }
    const borrower = { agentId, ownerUserId, withoutOwner: ownerUserId === null }
    const loanId = await insertLoan(trx, { ...terms, ...borrower, purpose, requestedAt: now, dueAt: dueAt(now) })
    // A concurrent request was faster; the next attempt finds its loan, unless that one is already repaid.
    if (loanId === undefined) continue
    const posted = await app.ledger.post(trx, {
      walletId: agentId,
      type: 'loan',
      amountCents,
      description: `Loan ${loanId}`,
      reference: `loan:${loanId}`
    })
    if (!posted.posted || posted.repeated) throw new Error(`Loan ${loanId} could not be disbursed.`)
    await publish(app, trx, 'loan.disbursed', { id: loanId, agentId })
    return { ...terms, loanId }
  }
  throw new Error(`Agent ${agentId} took and repaid ${mostAttempts} other loans during one request.`)
}

export type Disbursement = Awaited<ReturnType<typeof borrow>>

/** Records the lapses of an unpaid loan and reports each once to the bureau. */
export const recordLapses = async (app: Lending, trx: Trx, loan: Loan): Promise<Loan> => {
  const now = app.clock.now()
  let recorded = loan
  for (const lapse of lapsesOf(loan, now)) {
    if (lapse === 'late') {
      await updateLoan(trx, loan.id, { lateAt: now })
      await reportLoan(app, trx, loan, 'payment_late')
      recorded = { ...recorded, lateAt: now }
    } else {
      await updateLoan(trx, loan.id, { status: 'defaulted', defaultedAt: now })
      await reportLoan(app, trx, loan, 'payment_missed')
      await publish(app, trx, 'loan.defaulted', loan)
      recorded = { ...recorded, status: 'defaulted' }
    }
  }
  return recorded
}

/** Records the lapses of all overdue loans, one batch per transaction. */
export const recordOverdueLoans = async (app: Lending & Pick<FastifyInstance, 'database'>): Promise<void> => {
  let found: number
  do {
    found = await transact(app.database.db, async (trx) => {
      const loans = await lockOverdue(trx, app.clock.now(), batchSize)
      for (const loan of loans) await recordLapses(app, trx, loan)
      return loans.length
    })
  } while (found === batchSize)
}
