import DataLoader from 'dataloader'
import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
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
  outcome: 'posted' | 'pending' | 'insufficient' | 'too_many_pending' | 'unknown' | AgentStatus
  transaction_id: number
  approval_id: number
  balance_cents: number
  agent_name: string
  owner_user_id: string | null
  owner_partner_id: string | null
}

type SpendRow = Spend & { now: Date; expiresAt: Date }

/** `agent_spend` for each of several spends, in the order given. */
const callSpends = prepared<{ spends: string }>()(
  (_db, place) => sql<SpendOutcome>`
    select spent.outcome, spent.transaction_id, spent.approval_id, spent.balance_cents, spent.agent_name, spent.owner_user_id,
      spent.owner_partner_id
    from rows from (
      jsonb_to_recordset(${place('spends')}::jsonb) as (
        "agentId" text, "amountCents" bigint, description text, "requireApproval" boolean, "itemName" text, url text, now timestamptz,
        "expiresAt" timestamptz)
    ) with ordinality as wish (agent_id, amount_cents, description, require_approval, item_name, url, now, expires_at, place)
    cross join lateral agent_spend(
      agent_id, amount_cents, description, require_approval, item_name, url, now, expires_at) as spent
    order by place`
)

/** Agents are locked in one order, so that two transactions with several spends never wait for each other in a circle. */
const spendAll = async (trx: Trx, wishes: readonly SpendRow[]): Promise<SpendOutcome[]> => {
  const sorted = [...wishes].sort((a, b) => (a.agentId < b.agentId ? -1 : 1))
  const outcomes = await callSpends(trx, { spends: stringifyStorable(sorted) })
  return wishes.map(
    (wish) => outcomes[sorted.indexOf(wish)] ?? new Error('agent_spend returned no row.')
  ) as SpendOutcome[]
}

const loaders = new WeakMap<Trx, DataLoader<SpendRow, SpendOutcome>>()

/** Spends that share a transaction and come in the same turn go to the database in one statement. */
const loaderOf = (trx: Trx): DataLoader<SpendRow, SpendOutcome> => {
  const loader = loaders.get(trx) ?? new DataLoader((wishes) => spendAll(trx, wishes), { cache: false })
  loaders.set(trx, loader)
  return loader
}

/** Spends or requests approval: checks the agent's state, its limits and its balance, and writes the ledger entries. */
export const spend = async (trx: Trx, wish: Spend, now: Date, expiresAt: Date): Promise<SpendOutcome> =>
  await loaderOf(trx).load({ ...wish, now, expiresAt })
