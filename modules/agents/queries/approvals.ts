import { sql } from 'kysely'
import type { FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { AgentStatus, ApprovalStatus } from '../tables.ts'

/** A request of an agent to spend, for its owner to decide. */
export type Approval = Omit<FieldsOf<'approvals'>, 'decidedAt' | 'decidedBy' | 'transactionId'>

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
  agentId: string
  transactionId: number
  amountCents: number
  balanceCents: number
  ownerPartnerId: string
}

/** Decides a pending approval request of an agent that the user owns, and books the spend when it is approved, in one statement. */
export const decideApproval = async (
  trx: Trx,
  approvalId: number,
  userId: string,
  approve: boolean,
  now: Date
): Promise<DecisionOutcome> => {
  const { rows } = await sql<DecisionOutcome>`
    select outcome, agent_id as "agentId", transaction_id as "transactionId", amount_cents as "amountCents",
      balance_cents as "balanceCents", owner_partner_id as "ownerPartnerId"
    from agent_decide(${approvalId}::bigint, ${userId}, ${approve}::boolean, ${now}::timestamptz)`.execute(trx)
  const [row] = rows
  if (row === undefined) throw new Error('agent_decide returned no row.')
  return row
}

/** The status at `now`: a pending request past its expiry counts as expired, even before the job has stored that. */
const statusAt = (now: Date) =>
  sql<ApprovalStatus>`case when a.status = 'pending' and a.expires_at <= ${now}::timestamptz then 'expired' else a.status end`

/** The stored statuses that a request with a status at `now` can have. */
const storedStatuses: Record<ApprovalStatus, ApprovalStatus[]> = {
  pending: ['pending'],
  approved: ['approved'],
  rejected: ['rejected'],
  expired: ['expired', 'pending']
}
const allStatuses = Object.keys(storedStatuses) as ApprovalStatus[]

/** The approval requests of all agents of a user, newest first. The lateral join reads at most `limit` rows per agent and status. */
export const listApprovalsOf = async (
  db: Db,
  userId: string,
  status: ApprovalStatus | undefined,
  beforeId: number | undefined,
  limit: number,
  now: Date
): Promise<Approval[]> => {
  const { rows } = await sql<Approval>`
    select a.id, a.agent_id as "agentId", a.amount_cents as "amountCents", a.description, a.item_name as "itemName", a.url, a.reason,
      ${statusAt(now)} as status, a.created_at as "createdAt", a.expires_at as "expiresAt"
    from agents
    cross join unnest(${status === undefined ? allStatuses : storedStatuses[status]}::text[]) as stored (status)
    cross join lateral (
      select a.* from approvals a
      where a.agent_id = agents.agent_id and a.status = stored.status and a.id < ${beforeId ?? Number.MAX_SAFE_INTEGER}
        ${status === undefined ? sql`` : sql`and ${statusAt(now)} = ${status}`}
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

/** Marks requests that were not decided in time. */
export const expireApprovals = async (db: Db, now: Date): Promise<void> => {
  await sql`update approvals set status = 'expired' where id = any(array(
    select id from approvals where status = 'pending' and expires_at <= ${now}::timestamptz
    order by expires_at limit ${sql.lit(expireBatch)} for update skip locked))`.execute(db)
}
