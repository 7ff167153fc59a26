import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import type { AgentStatus } from '../tables.ts'

export interface Spend {
  agentId: string
  amountCents: number
  description: string
  requireApproval: boolean
  itemName: string | null
  url: string | null
}

export interface SpendOutcome {
  outcome: 'posted' | 'pending' | 'insufficient' | 'unknown' | AgentStatus
  transaction_id: number
  approval_id: number
  balance_cents: number
  agent_name: string
  owner_user_id: string | null
  owner_partner_id: string | null
}

interface SpendRow extends Spend {
  now: Date
  expiresAt: Date
}

const callSpend = prepared<SpendRow>()(
  (_db, place) => sql<SpendOutcome>`
    select outcome, transaction_id, approval_id, balance_cents, agent_name, owner_user_id, owner_partner_id from agent_spend(
      ${place('agentId')}, ${place('amountCents')}::bigint, ${place('description')}, ${place('requireApproval')}::boolean, true,
      ${place('itemName')}, ${place('url')}, ${place('now')}::timestamptz, ${place('expiresAt')}::timestamptz)`
)

/** Spends or requests approval in one statement: the agent's state, its limits, the balance, the ledger entries. */
export const spend = async (trx: Trx, wish: Spend, now: Date, expiresAt: Date): Promise<SpendOutcome> => {
  const [row] = await callSpend(trx, { ...wish, now, expiresAt })
  if (row === undefined) throw new Error('agent_spend returned no row.')
  return row
}
