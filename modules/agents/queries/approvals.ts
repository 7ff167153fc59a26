import { sql, type Selectable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { AgentStatus, ApprovalStatus, ApprovalsTable } from '../tables.ts'

export type ApprovalRow = Selectable<ApprovalsTable>

export interface DecisionOutcome {
  outcome:
    | 'approved'
    | 'rejected'
    | 'already_approved'
    | 'already_rejected'
    | 'expired'
    | 'insufficient'
    | 'unknown'
    | AgentStatus
  agent_id: string
  transaction_id: number
  amount_cents: number
  balance_cents: number
  owner_partner_id: string
}

/** Decides a pending approval of an agent that the user owns, and carries it out when it is approved; in one statement. */
export const decide = async (
  trx: Trx,
  approvalId: number,
  userId: string,
  approve: boolean,
  now: Date
): Promise<DecisionOutcome> => {
  const { rows } = await sql<DecisionOutcome>`
    select outcome, agent_id, transaction_id, amount_cents, balance_cents, owner_partner_id
    from agent_decide(${approvalId}::bigint, ${userId}, ${approve}::boolean, ${now}::timestamptz)`.execute(trx)
  const [row] = rows
  if (row === undefined) throw new Error('The database gave no answer about an approval.')
  return row
}

/** What a request counts as at `now`: one past its time is expired, also before the job has written so. */
const effectiveStatus = (now: Date) =>
  sql<ApprovalStatus>`case when a.status = 'pending' and a.expires_at <= ${now}::timestamptz then 'expired' else a.status end`

/** What a request with an effective status can have stored. */
const storedAs: Record<ApprovalStatus, ApprovalStatus[]> = {
  pending: ['pending'],
  approved: ['approved'],
  rejected: ['rejected'],
  expired: ['expired', 'pending']
}
const allStatuses = Object.keys(storedAs) as ApprovalStatus[]

/** The approvals of all agents of a user, newest first: of each agent and status no more than the list can have, however many there are. */
export const listApprovalsOf = async (
  db: Db,
  userId: string,
  {
    status,
    limit,
    beforeId,
    now
  }: { status?: ApprovalStatus | undefined; limit: number; beforeId?: number | undefined; now: Date }
): Promise<ApprovalRow[]> => {
  const { rows } = await sql<ApprovalRow>`
    select a.*, ${effectiveStatus(now)} as status
    from agents
    cross join unnest(${status === undefined ? allStatuses : storedAs[status]}::text[]) as stored (status)
    cross join lateral (
      select a.* from approvals a
      where a.agent_id = agents.agent_id and a.status = stored.status and a.id < ${beforeId ?? Number.MAX_SAFE_INTEGER}
        ${status === undefined ? sql`` : sql`and ${effectiveStatus(now)} = ${status}`}
      order by a.id desc limit ${limit}
    ) as a
    where agents.owner_user_id = ${userId}
    order by a.id desc limit ${limit}`.execute(db)
  return rows
}

export const hasApprovals = async (trx: Trx, agentId: string): Promise<boolean> =>
  (await trx.selectFrom('approvals').select('id').where('agent_id', '=', agentId).limit(1).executeTakeFirst()) !==
  undefined

const expireBatch = 1_000

/** Marks what was not decided in time. */
export const expireApprovals = async (db: Db, now: Date): Promise<void> => {
  await sql`update approvals set status = 'expired' where id = any(array(
    select id from approvals where status = 'pending' and expires_at <= ${now}::timestamptz
    order by expires_at limit ${sql.lit(expireBatch)} for update skip locked))`.execute(db)
}
