import { sql, type Selection } from 'kysely'
import { toRow, type FieldsOf } from '../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../plugins/database/types.ts'
import { defaultAfterMs } from './schedule.ts'
import './tables.ts'

const columns = [
  'id',
  'agent_id as agentId',
  'amount_cents as amountCents',
  'amount_repaid_cents as amountRepaidCents',
  'status',
  'purpose',
  'requested_at as requestedAt',
  'due_at as dueAt',
  'late_at as lateAt',
  'repaid_at as repaidAt'
] as const

export type Loan = Selection<Database, 'loans', (typeof columns)[number]>

type LoanChanges = Partial<
  Pick<FieldsOf<'loans'>, 'amountRepaidCents' | 'status' | 'lateAt' | 'defaultedAt' | 'repaidAt'>
>
type NewLoan = Omit<FieldsOf<'loans'>, 'id' | keyof LoanChanges>

/** Inserts a loan. @returns its id; undefined when the agent has an outstanding loan, which a unique index also ensures between concurrent requests */
export const insertLoan = async (trx: Trx, loan: NewLoan): Promise<number | undefined> => {
  const row = await trx
    .insertInto('loans')
    .values(toRow(loan))
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** The agent's unpaid loan, active or defaulted. */
export const findOutstanding = async (db: Db, agentId: string): Promise<Loan | undefined> =>
  await db
    .selectFrom('loans')
    .select(columns)
    .where('agent_id', '=', agentId)
    .where('status', '<>', 'repaid')
    .executeTakeFirst()

/** Locks one of the agent's loans until the transaction ends. */
export const lockLoan = async (trx: Trx, id: number, agentId: string): Promise<Loan | undefined> =>
  await trx
    .selectFrom('loans')
    .select(columns)
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .forUpdate()
    .executeTakeFirst()

/** Locks loans with a lapse that is not recorded yet, oldest first, and skips those that another transaction holds. */
export const lockOverdue = async (trx: Trx, now: Date, limit: number): Promise<Loan[]> => {
  const defaultsBefore = new Date(now.getTime() - defaultAfterMs)
  return await trx
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
}

/** Changes the given fields. */
export const updateLoan = async (trx: Trx, id: number, changes: LoanChanges): Promise<void> => {
  await trx.updateTable('loans').set(toRow(changes)).where('id', '=', id).execute()
}

/** The agent's loans, newest first; only those before `beforeId` when it is given. */
export const listLoans = async (db: Db, agentId: string, beforeId: number | undefined, limit: number) =>
  await db
    .selectFrom('loans')
    .select(columns)
    .where('agent_id', '=', agentId)
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId ?? 0))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
