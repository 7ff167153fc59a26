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

/** Whether a key of the agent has ever been used. Locks its keys, so that no use is recorded until the transaction ends. */
export const agentKeyUsed = async (trx: Trx, agentId: string): Promise<boolean> => {
  const keys = await trx
    .selectFrom('credentials')
    .select('last_used_at')
    .where('agent_id', '=', agentId)
    .forNoKeyUpdate()
    .execute()
  return keys.some((key) => key.last_used_at !== null)
}
