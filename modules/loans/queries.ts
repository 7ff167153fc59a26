import { sql, type Selection } from 'kysely'
import { toRow, type FieldsOf } from '../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../plugins/database/types.ts'
import type { Owed } from './limits.ts'
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
  Pick<FieldsOf<'loans'>, 'amountRepaidCents' | 'status' | 'lateAt' | 'defaultedAt' | 'repaidAt' | 'onTimeAt'>
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

/** Lets one loan at a time be granted, so that the next one counts it. */
export const lockLending = async (trx: Trx): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended('atlas lending', 0))`.execute(trx)
}

/** What is owed by all agents, and by those that share a limit with an agent of this owner, or with one without an owner. */
export const sumOwed = async (db: Db, ownerUserId: string | null): Promise<Owed> => {
  const owed = sql`amount_cents - amount_repaid_cents`
  const group = ownerUserId === null ? sql`without_owner` : sql`owner_user_id = ${ownerUserId}`
  const { rows } = await sql<Owed>`
    select coalesce(sum(${owed}), 0)::bigint as "allCents",
      coalesce(sum(${owed}) filter (where ${group}), 0)::bigint as "groupCents"
    from loans where status <> 'repaid'`.execute(db)
  return rows[0] ?? { allCents: 0, groupCents: 0 }
}

/** Counts the unpaid loan of an agent for the agent's new owner. */
export const assignLoan = async (
  trx: Trx,
  { agentId, ownerUserId }: { agentId: string; ownerUserId: string }
): Promise<void> => {
  await trx
    .updateTable('loans')
    .set({ owner_user_id: ownerUserId })
    .where('agent_id', '=', agentId)
    .where('status', '<>', sql.lit('repaid'))
    .where('owner_user_id', 'is', null)
    .execute()
}

/** When a repayment by the agent was last reported as on time. */
export const lastOnTime = async (db: Db, agentId: string): Promise<Date | null> => {
  const row = await db
    .selectFrom('loans')
    .select('on_time_at as onTimeAt')
    .where('agent_id', '=', agentId)
    .where('on_time_at', 'is not', null)
    .orderBy('on_time_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.onTimeAt ?? null
}

/** The agent's unpaid loan, active or defaulted. */
export const findOutstanding = async (db: Db, agentId: string): Promise<Loan | undefined> =>
  await db
    .selectFrom('loans')
    .select(columns)
    .where('agent_id', '=', agentId)
    .where('status', '<>', 'repaid')
    .executeTakeFirst()

export const findLoan = async (db: Db, id: number): Promise<Loan | undefined> =>
  await db.selectFrom('loans').select(columns).where('id', '=', id).executeTakeFirst()

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
