import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { fromCents } from '../../plugins/money.ts'
import { agentPaused, findAgent, holdsTooLittle, lockAgent } from '../agents/index.ts'
import { notEnrolled, readScore, recordOwnReport, type ReportType } from '../bureau/index.ts'
import { alreadyRepaid, existingLoan, ineligible } from './errors.ts'
import {
  findOutstanding,
  insertLoan,
  lockLoan,
  lockOverdue,
  markDefaulted,
  markLate,
  markRepaid,
  storeRepayment,
  type Loan
} from './queries.ts'
import { dueAt, lapsesOf } from './schedule.ts'
import { minimumScore, underwrite, type Band } from './underwriting.ts'

/** What lending needs of the server. */
export type Lending = Pick<FastifyInstance, 'clock' | 'ledger' | 'outbox' | 'database' | 'notifications'>

const mostTries = 3
const batchSize = 50

const outstandingOf = (loan: Loan): number => loan.amountCents - loan.amountRepaidCents

type LoanEvent = 'loan.disbursed' | 'loan.repaid' | 'loan.defaulted'

/** Tells the owner's partner, and of a default the owner in person; an agent without an owner has nobody to tell. */
const publish = async (app: Lending, trx: Trx, type: LoanEvent, loan: Pick<Loan, 'id' | 'agentId'>): Promise<void> => {
  const agent = await findAgent(trx, loan.agentId)
  if (agent === undefined || agent.ownerPartnerId === null) return
  const data = { agent_id: loan.agentId, loan_id: loan.id }
  await app.outbox.publish(trx, [{ partnerId: agent.ownerPartnerId, type, data }])
  if (type !== 'loan.defaulted' || agent.ownerUserId === null) return
  const message = `${agent.name} has not paid back loan ${loan.id}: it is in default, and the agent can borrow again only when it is paid.`
  await app.notifications.notify(trx, { userId: agent.ownerUserId, type, message, data })
}

const reportLoan = async (app: Lending, trx: Trx, loan: Loan, reportType: ReportType): Promise<void> => {
  await recordOwnReport(app, trx, {
    agentId: loan.agentId,
    reportType,
    amountCents: loan.amountCents,
    notes: `loan ${loan.id}`
  })
}

const hasLoan = (loan: Loan) => {
  const outstanding = fromCents(outstandingOf(loan))
  return existingLoan(
    `${outstanding} credits of loan ${loan.id} are not paid back yet. Pay them with POST /api/loans/${loan.id}/repay first.`,
    {
      loan_id: loan.id,
      outstanding
    }
  )
}

const tooLow = (score: number, next: Band) => {
  const limit = fromCents(next.limitCents)
  const missing = `The score of ${score} is ${next.minimumScore - score} points below ${next.minimumScore}`
  return ineligible(`${missing}; from there on loans of up to ${limit} credits are possible.`, {
    score,
    minimum_score: minimumScore,
    next_band: { score: next.minimumScore, limit }
  })
}

export interface Disbursement {
  loanId: number
  amountCents: number
  limitCents: number
  score: number
}

/**
 * Decides on a request for a loan and pays it out.
 * @throws ProblemError 403 `agent_paused`, `not_enrolled` or `ineligible`; 409 `existing_loan`.
 */
export const borrow = async (
  app: Lending,
  trx: Trx,
  agentId: string,
  requestedCents: number,
  purpose: string | null
): Promise<Disbursement> => {
  const now = app.clock.now()
  const agent = await lockAgent(trx, agentId)
  if (agent?.status !== 'active')
    throw agentPaused(`The agent ${agentId} is paused, and a paused agent cannot borrow. Its owner can resume it.`)
  const score = await readScore(trx, agentId, now)
  if (score === undefined) throw notEnrolled(agentId, 403)
  for (let attempt = 1; attempt <= mostTries; attempt++) {
    const outstanding = await findOutstanding(trx, agentId)
    if (outstanding !== undefined) throw hasLoan(outstanding)
    const decision = underwrite(score, requestedCents)
    if (!decision.approved) throw tooLow(score, decision.nextBand)
    const { amountCents, limitCents } = decision
    const loanId = await insertLoan(trx, {
      agentId,
      requestedCents,
      amountCents,
      limitCents,
      score,
      purpose,
      requestedAt: now,
      dueAt: dueAt(now)
    })
    // Somebody else's request came between; the next round finds its loan, unless that one is paid back already.
    if (loanId === undefined) continue
    const posted = await app.ledger.post(trx, {
      walletId: agentId,
      type: 'loan',
      amountCents,
      description: `Loan ${loanId}`,
      reference: `loan:${loanId}`
    })
    if (!posted.posted || posted.repeated) throw new Error(`The loan ${loanId} could not be paid out.`)
    await publish(app, trx, 'loan.disbursed', { id: loanId, agentId })
    return { loanId, amountCents, limitCents, score }
  }
  throw new Error(`The agent ${agentId} kept taking and paying back loans while it asked for one.`)
}

/** Notes what an unpaid loan has let pass by now and tells the bureau, once for each. */
const noteLapses = async (app: Lending, trx: Trx, loan: Loan): Promise<Loan> => {
  const now = app.clock.now()
  let noted = loan
  for (const lapse of lapsesOf(loan, now)) {
    if (lapse === 'late') {
      await markLate(trx, loan.id, now)
      await reportLoan(app, trx, loan, 'payment_late')
      noted = { ...noted, lateAt: now }
    } else {
      await markDefaulted(trx, loan.id, now)
      await reportLoan(app, trx, loan, 'payment_missed')
      await publish(app, trx, 'loan.defaulted', loan)
      noted = { ...noted, status: 'defaulted' }
    }
  }
  return noted
}

export interface Repayment {
  paidCents: number
  outstandingCents: number
  status: Loan['status']
}

/**
 * Pays back a loan or a part of it, never more than is outstanding.
 * @throws ProblemError 404 for another agent's loan; 409 `already_repaid`; 402 `insufficient_balance`.
 */
export const repay = async (
  app: Lending,
  trx: Trx,
  agentId: string,
  loanId: number,
  amountCents: number
): Promise<Repayment> => {
  const now = app.clock.now()
  const locked = await lockLoan(trx, loanId, agentId)
  if (locked === undefined) throw notFound(`You have no loan ${loanId}.`)
  if (locked.repaidAt !== null)
    throw alreadyRepaid(`Loan ${loanId} was paid back in full on ${locked.repaidAt.toISOString().slice(0, 10)}.`)
  const paidCents = Math.min(amountCents, outstandingOf(locked))
  const posted = await app.ledger.post(trx, {
    walletId: agentId,
    type: 'repayment',
    amountCents: paidCents,
    description: `Repayment of loan ${loanId}`
  })
  if (!posted.posted) throw holdsTooLittle(posted.balanceCents, paidCents)
  // The job may not have come by yet: who pays too late is late all the same.
  const loan = await noteLapses(app, trx, locked)
  const repaidCents = loan.amountRepaidCents + paidCents
  if (repaidCents < loan.amountCents) {
    await storeRepayment(trx, loanId, repaidCents)
    return { paidCents, outstandingCents: loan.amountCents - repaidCents, status: loan.status }
  }
  await markRepaid(trx, loanId, repaidCents, now)
  if (loan.lateAt === null) await reportLoan(app, trx, loan, 'payment_ontime')
  await publish(app, trx, 'loan.repaid', loan)
  return { paidCents, outstandingCents: 0, status: 'repaid' }
}

/** Goes through the loans that are past due, a batch in a transaction, until none is left that was not noted. */
export const noteOverdueLoans = async (app: Lending): Promise<void> => {
  let found: number
  do {
    found = await transact(app.database.db, async (trx) => {
      const loans = await lockOverdue(trx, app.clock.now(), batchSize)
      for (const loan of loans) await noteLapses(app, trx, loan)
      return loans.length
    })
  } while (found === batchSize)
}
