import type { Selection } from 'kysely'
import { toRow } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'

const columns = [
  'agent_id as agentId',
  'name',
  'owner_user_id as ownerUserId',
  'owner_partner_id as ownerPartnerId',
  'status',
  'pause_reason as pauseReason',
  'is_verified as isVerified',
  'daily_limit_cents as dailyLimitCents',
  'per_transaction_limit_cents as perTransactionLimitCents',
  'owed_cents as owedCents',
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
  {
    encryptedKey,
    ...agent
  }: Pick<Agent, 'agentId' | 'name' | 'ownerUserId' | 'ownerPartnerId' | 'createdAt'> & { encryptedKey: Buffer }
): Promise<void> => {
  await trx
    .insertInto('agents')
    .values({ ...toRow(agent), api_key: encryptedKey })
    .execute()
}

export type AgentChanges = Partial<Omit<Agent, 'agentId' | 'name' | 'isVerified' | 'createdAt'>>

/** Changes the given fields. */
export const updateAgent = async (
  trx: Trx,
  agentId: string,
  { encryptedKey, ...changes }: AgentChanges
): Promise<void> => {
  await trx
    .updateTable('agents')
    .set({ ...toRow(changes), api_key: encryptedKey })
    .where('agent_id', '=', agentId)
    .execute()
}

/** Selects the agents of a user that are not revoked. */
export const selectOwnedAgents = (db: Db, userId: string) =>
  db.selectFrom('agents').select('agent_id').where('owner_user_id', '=', userId).where('status', '<>', 'revoked')

/** A user's agents, newest first. */
export const listAgentsOf = async (db: Db, userId: string, limit: number, before?: TimePosition): Promise<Agent[]> =>
  await db
    .selectFrom('agents')
    .select(columns)
    .where('owner_user_id', '=', userId)
    .$call(newestFirst(before, limit, 'agent_id'))
    .execute()
