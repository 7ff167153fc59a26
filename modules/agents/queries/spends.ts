import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import { again } from '../../../plugins/database/transaction.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
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

/** Spends or asks for approval, in one statement: the agent's state, its limits, the balance, the entries. */
export const spend = async (trx: Trx, wish: Spend, now: Date, expiresAt: Date): Promise<SpendOutcome> => {
  const { rows } = await sql<SpendOutcome>`
    select outcome, transaction_id, approval_id, balance_cents, agent_name, owner_user_id, owner_partner_id from agent_spend(
      ${wish.agentId}, ${wish.amountCents}::bigint, ${wish.description}, ${wish.requireApproval}::boolean, true, ${wish.itemName}, ${wish.url},
      ${now}::timestamptz, ${expiresAt}::timestamptz)`.execute(trx)
  const [row] = rows
  if (row === undefined) throw new Error('The database gave no answer about a spend.')
  return row
}

/** A spend with all that one statement needs to carry it out. */
export interface CompleteSpend extends Spend {
  credentialId: string
  /** Of the event that tells the owner, if there is one. */
  eventId: string
  at: Date
  activity: { operationId: string; method: string; route: string; ip: string; requestId: string }
  key?: { tenant: string; key: string; lock: string; bodyHash: Buffer; expiresAt: Date } | undefined
}

export interface CollectedOutcome {
  /** `unauthorized`: the credential does not hold any more. `known_key` and `needs_approval`: nothing was done, and more is to be looked at. */
  outcome: 'posted' | 'insufficient' | 'unauthorized' | 'known_key' | 'needs_approval' | 'unknown' | AgentStatus
  transaction_id: number
  balance_cents: number
  /** Whether an event tells the owner. */
  announced: boolean
}

const toRow = (
  { credentialId, agentId, amountCents, description, requireApproval, eventId, at, activity, key }: CompleteSpend,
  place: number
) => ({
  place,
  credential_id: credentialId,
  agent_id: agentId,
  amount_cents: amountCents,
  description,
  require_approval: requireApproval,
  event_id: eventId,
  at,
  operation_id: activity.operationId,
  method: activity.method,
  route: activity.route,
  ip: activity.ip,
  request_id: activity.requestId,
  ...(key === undefined
    ? {}
    : {
        tenant: key.tenant,
        key: key.key,
        key_lock: key.lock,
        body_hash: `\\x${key.bodyHash.toString('hex')}`,
        expires_at: key.expiresAt
      })
})

const carryOutTogether = prepared<{ spends: string }>()(
  (_db, place) =>
    sql<
      CollectedOutcome & { place: number }
    >`select place, outcome, transaction_id, balance_cents, announced from agent_spend_together(${place('spends')}::jsonb)`
)

/**
 * Carries out many spends in one statement: for each the credential, the idempotency key, the agent's state and limits, the balance, the entries, the event,
 * the activity row and the key's answer. What one spend is refused for does not touch the others.
 */
export const spendTogether = async (db: Db, spends: CompleteSpend[]): Promise<CollectedOutcome[]> => {
  const rows = stringifyStorable(spends.map(toRow))
  const outcomes = await again(() => carryOutTogether(db, { spends: rows }))
  return outcomes.sort((a, b) => a.place - b.place)
}
