import type { Trx } from '../database/types.ts'

/** Assigns an agent's key to the partner of the agent's new owner. */
export const assignAgentKey = async (trx: Trx, agentId: string, partnerId: string): Promise<void> => {
  await trx
    .updateTable('credentials')
    .set({ partner_id: partnerId })
    .where('agent_id', '=', agentId)
    .where('revoked_at', 'is', null)
    .execute()
}

/** Whether a key of the agent has ever been used. */
export const agentKeyUsed = async (trx: Trx, agentId: string): Promise<boolean> => {
  const row = await trx
    .selectFrom('credentials')
    .select('id')
    .where('agent_id', '=', agentId)
    .where('last_used_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
