import { sql, type Selectable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { AgentsTable } from '../tables.ts'

export type AgentRow = Selectable<AgentsTable>

export interface NewAgent {
  agentId: string
  name: string
  owner: { userId: string; partnerId: string } | null
  apiKey: Buffer
  createdAt: Date
}

export const findAgent = async (db: Db, agentId: string): Promise<AgentRow | undefined> =>
  await db.selectFrom('agents').selectAll().where('agent_id', '=', agentId).executeTakeFirst()

/** The agent, which nobody else changes and which spends nothing until the transaction ends. */
export const lockAgent = async (trx: Trx, agentId: string): Promise<AgentRow | undefined> =>
  await trx.selectFrom('agents').selectAll().where('agent_id', '=', agentId).forNoKeyUpdate().executeTakeFirst()

export const insertAgent = async (trx: Trx, { agentId, name, owner, apiKey, createdAt }: NewAgent): Promise<void> => {
  await trx
    .insertInto('agents')
    .values({
      agent_id: agentId,
      name,
      owner_user_id: owner?.userId ?? null,
      owner_partner_id: owner?.partnerId ?? null,
      daily_limit_cents: null,
      per_transaction_limit_cents: null,
      api_key: apiKey,
      created_at: createdAt
    })
    .execute()
}

export const updateAgent = async (
  trx: Trx,
  agentId: string,
  changes: Partial<
    Pick<
      AgentRow,
      'owner_user_id' | 'owner_partner_id' | 'status' | 'daily_limit_cents' | 'per_transaction_limit_cents' | 'api_key'
    >
  >
): Promise<void> => {
  await trx.updateTable('agents').set(changes).where('agent_id', '=', agentId).execute()
}

/** A user's agents, newest first. */
export const listAgentsOf = async (db: Db, userId: string, limit: number, before?: TimePosition): Promise<AgentRow[]> =>
  await db
    .selectFrom('agents')
    .selectAll()
    .where('owner_user_id', '=', userId)
    .$if(before !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, agent_id) < (${before?.at}::timestamptz, ${before?.id}::text)`)
    )
    .orderBy('created_at', 'desc')
    .orderBy('agent_id', 'desc')
    .limit(limit)
    .execute()
