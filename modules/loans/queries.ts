import { sql } from 'kysely'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { defaultAfterMs } from './schedule.ts'
import type { LoanStatus } from './tables.ts'
import './tables.ts'

export interface Loan {
  id: number
  agentId: string
  amountCents: number
  amountRepaidCents: number
  status: LoanStatus
  purpose: string | null
  requestedAt: Date
  dueAt: Date
  lateAt: Date | null
  repaidAt: Date | null
}

const columns = [
  'id',
  'agent_id',
  'amount_cents',
  'amount_repaid_cents',
  'status',
  'purpose',
  'requested_at',
  'due_at',
  'late_at',
  'repaid_at'
] as const

const loanOf = (row: {
  id: number
  agent_id: string
  amount_cents: number
  amount_repaid_cents: number
  status: LoanStatus
  purpose: string | null
  requested_at: Date
  due_at: Date
  late_at: Date | null
  repaid_at: Date | null
}): Loan => ({
  id: row.id,
  agentId: row.agent_id,
  amountCents: row.amount_cents,
  amountRepaidCents: row.amount_repaid_cents,
  status: row.status,
  purpose: row.purpose,
  requestedAt: row.requested_at,
  dueAt: row.due_at,
  lateAt: row.late_at,
  repaidAt: row.repaid_at
})

export interface NewLoan {
  agentId: string
  requestedCents: number
  amountCents: number
  limitCents: number
  score: number
  purpose: string | null
  requestedAt: Date
  dueAt: Date
}

/** Writes a loan; undefined when the agent has an outstanding one, which the database decides also between requests that come at once. */
export const insertLoan = async (trx: Trx, loan: NewLoan): Promise<number | undefined> => {
  const row = await trx
    .insertInto('loans')
    .values({
      agent_id: loan.agentId,
      requested_cents: loan.requestedCents,
      amount_cents: loan.amountCents,
      limit_cents: loan.limitCents,
      score: loan.score,
      purpose: loan.purpose,
      requested_at: loan.requestedAt,
      due_at: loan.dueAt,
      late_at: null,
      defaulted_at: null,
      repaid_at: null
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** The agent's loan that is not paid back, active or defaulted. */
export const findOutstanding = async (db: Db, agentId: string): Promise<Loan | undefined> => {
  const row = await db
    .selectFrom('loans')
    .select(columns)
    .where('agent_id', '=', agentId)
    .where('status', '<>', 'repaid')
    .executeTakeFirst()
  return row === undefined ? undefined : loanOf(row)
}

/** One of the agent's loans, which nobody else changes until the transaction ends. */
export const lockLoan = async (trx: Trx, id: number, agentId: string): Promise<Loan | undefined> => {
  const row = await trx
    .selectFrom('loans')
    .select(columns)
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .forUpdate()
    .executeTakeFirst()
  return row === undefined ? undefined : loanOf(row)
}

/** Loans that let a day pass which was not noted yet, oldest first, without those that somebody works on just now. */
export const lockOverdue = async (trx: Trx, now: Date, limit: number): Promise<Loan[]> => {
  const defaultsBefore = new Date(now.getTime() - defaultAfterMs)
  const rows = await trx
    .selectFrom('loans')
    .select(columns)
    .where('status', '=', sql.lit('active'))
    .where('due_at', '<', now)
    .where((eb) => eb.or([eb('late_at', 'is', null), eb('due_at', '<', defaultsBefore)]))
    .orderBy('due_at')
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()
  return rows.map(loanOf)
}

export const markLate = async (trx: Trx, id: number, now: Date): Promise<void> => {
  await trx.updateTable('loans').set({ late_at: now }).where('id', '=', id).execute()
}

export const markDefaulted = async (trx: Trx, id: number, now: Date): Promise<void> => {
  await trx.updateTable('loans').set({ status: 'defaulted', defaulted_at: now }).where('id', '=', id).execute()
}

export const storeRepayment = async (trx: Trx, id: number, amountRepaidCents: number): Promise<void> => {
  await trx.updateTable('loans').set({ amount_repaid_cents: amountRepaidCents }).where('id', '=', id).execute()
}

export const markRepaid = async (trx: Trx, id: number, amountRepaidCents: number, now: Date): Promise<void> => {
  await trx
    .updateTable('loans')
    .set({ amount_repaid_cents: amountRepaidCents, status: 'repaid', repaid_at: now })
    .where('id', '=', id)
    .execute()
}

/** The agent's loans, newest first, those before `beforeId` when it is given. */
export const listLoans = async (
  db: Db,
  agentId: string,
  beforeId: number | undefined,
  limit: number
): Promise<Loan[]> => {
  const rows = await db
    .selectFrom('loans')
    .select(columns)
    .where('agent_id', '=', agentId)
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId ?? 0))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(loanOf)
}
