import type { Trx } from '../database/types.ts'

/** Puts an agent's key under the partner of the agent's new owner. */
export const assignAgentKey = async (trx: Trx, agentId: string, partnerId: string): Promise<void> => {
  await trx
    .updateTable('credentials')
    .set({ partner_id: partnerId })
    .where('agent_id', '=', agentId)
    .where('revoked_at', 'is', null)
    .execute()
}

/** Whether any key of the agent was ever noted as used. */
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
