import { sql, type Selection } from 'kysely'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'

const columns = [
  'agent_id as agentId',
  'name',
  'owner_user_id as ownerUserId',
  'owner_partner_id as ownerPartnerId',
  'status',
  'is_verified as isVerified',
  'daily_limit_cents as dailyLimitCents',
  'per_transaction_limit_cents as perTransactionLimitCents',
  'api_key as encryptedKey',
  'created_at as createdAt'
] as const

export type Agent = Selection<Database, 'agents', (typeof columns)[number]>

export const findAgent = async (db: Db, agentId: string): Promise<Agent | undefined> =>
  await db.selectFrom('agents').select(columns).where('agent_id', '=', agentId).executeTakeFirst()

/** Locks the agent: no other transaction can change it or spend from it until this one ends. */
export const lockAgent = async (trx: Trx, agentId: string): Promise<Agent | undefined> =>
  await trx.selectFrom('agents').select(columns).where('agent_id', '=', agentId).forNoKeyUpdate().executeTakeFirst()

export const insertAgent = async (
  trx: Trx,
  agent: Pick<Agent, 'agentId' | 'name' | 'ownerUserId' | 'ownerPartnerId' | 'encryptedKey' | 'createdAt'>
): Promise<void> => {
  await trx
    .insertInto('agents')
    .values({
      agent_id: agent.agentId,
      name: agent.name,
      owner_user_id: agent.ownerUserId,
      owner_partner_id: agent.ownerPartnerId,
      daily_limit_cents: null,
      per_transaction_limit_cents: null,
      api_key: agent.encryptedKey,
      created_at: agent.createdAt
    })
    .execute()
}

/** Changes the given fields. */
export const updateAgent = async (
  trx: Trx,
  agentId: string,
  changes: Partial<Omit<Agent, 'agentId' | 'name' | 'isVerified' | 'createdAt'>>
): Promise<void> => {
  await trx
    .updateTable('agents')
    .set({
      owner_user_id: changes.ownerUserId,
      owner_partner_id: changes.ownerPartnerId,
      status: changes.status,
      daily_limit_cents: changes.dailyLimitCents,
      per_transaction_limit_cents: changes.perTransactionLimitCents,
      api_key: changes.encryptedKey
    })
    .where('agent_id', '=', agentId)
    .execute()
}

/** A user's agents, newest first. */
export const listAgentsOf = async (db: Db, userId: string, limit: number, before?: TimePosition): Promise<Agent[]> =>
  await db
    .selectFrom('agents')
    .select(columns)
    .where('owner_user_id', '=', userId)
    .$if(before !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, agent_id) < (${before?.at}::timestamptz, ${before?.id}::text)`)
    )
    .orderBy('created_at', 'desc')
    .orderBy('agent_id', 'desc')
    .limit(limit)
    .execute()
