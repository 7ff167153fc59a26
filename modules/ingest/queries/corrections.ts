import { sql } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import '../tables.ts'
import { recordUsage } from './usage.ts'

/** The end-user whose transactions are counted. */
export interface UsageOwner {
  partnerId: string
  environment: Environment
  userId: string
}

/** How usage is to count a transaction. */
export interface TransactionState {
  eventId: string
  /** False when the transaction is gone. */
  isCounted: boolean
  /** In US cents, zero or more. */
  amountCents?: number | undefined
  category?: string | undefined
  /** RFC 3339; only used when the transaction is new. */
  occurredAt: string
}

interface Sums {
  transactions: number
  amountCents: number
}

/** What usage counts of a transaction. */
interface Counted {
  occurredAt: string
  /** Empty for none. */
  byCategory: Map<string, Sums>
}

/** Reads what usage counts of some transactions, with all corrections. */
const readCounted = async (db: Db, owner: UsageOwner, eventIds: string[]): Promise<Map<string, Counted>> => {
  const ofOwner = sql`partner_id = ${owner.partnerId} and environment = ${owner.environment}`
  const { rows } = await sql<{ id: string; category: string; occurredAt: Date } & Sums>`
    select id, coalesce(category, '') as category, min(occurred_at) as "occurredAt", sum(transactions)::bigint as transactions,
      sum(coalesce(amount_cents, 0))::bigint as "amountCents"
    from (
      select event_id as id, category, occurred_at, transactions, amount_cents from usage_events where ${ofOwner} and event_id = any(${eventIds}::text[])
      union all
      select corrects, category, occurred_at, transactions, amount_cents from usage_events where ${ofOwner} and corrects = any(${eventIds}::text[])
    ) as counted group by id, coalesce(category, '')`.execute(db)
  const counted = new Map<string, Counted>()
  for (const { id, category, occurredAt, transactions, amountCents } of rows) {
    const known = counted.get(id) ?? {
      occurredAt: new Date(occurredAt).toISOString(),
      byCategory: new Map<string, Sums>()
    }
    known.byCategory.set(category, { transactions, amountCents })
    counted.set(id, known)
  }
  return counted
}

interface Correction extends Sums {
  corrects: string
  category: string
  occurredAt: string
}

/** The differences, by category, between how a transaction is counted and how it should be. */
const correctionsOf = (state: TransactionState, { occurredAt, byCategory }: Counted): Correction[] => {
  const category = state.category ?? ''
  const none: Sums = { transactions: 0, amountCents: 0 }
  return [...new Set([...byCategory.keys(), category])].flatMap((name) => {
    const wanted =
      state.isCounted && name === category ? { transactions: 1, amountCents: state.amountCents ?? 0 } : none
    const present = byCategory.get(name) ?? none
    const change = {
      transactions: wanted.transactions - present.transactions,
      amountCents: wanted.amountCents - present.amountCents
    }
    if (change.transactions === 0 && change.amountCents === 0) return []
    return [{ corrects: state.eventId, category: name, occurredAt, ...change }]
  })
}

/**
 * Stores corrections and adds them to the sums of the days and hours of the transactions that they correct. A new row of sums never starts below
 * zero, because a correction only takes away what was counted there. Rows are written in the order of their keys, as in `storeEvents`.
 */
const storeCorrections = async (trx: Trx, owner: UsageOwner, corrections: Correction[], now: Date): Promise<void> => {
  if (corrections.length === 0) return
  await sql`
    with given as (
      select ${owner.partnerId} as partner_id, ${owner.environment} as environment, ${owner.userId} as user_id, r.corrects, r.category, r.transactions, r."amountCents" as cents,
        r."occurredAt" as occurred_at
      from jsonb_to_recordset(${stringifyStorable(corrections)}::jsonb) as r(corrects text, category text, transactions smallint, "amountCents" bigint, "occurredAt" timestamptz)
    ), stored as (
      insert into usage_events (partner_id, environment, event_type, user_id, amount_cents, category, occurred_at, received_at, corrects, transactions)
      select partner_id, environment, 'correction', user_id, cents, nullif(category, ''), occurred_at, ${now}, corrects, transactions from given
    ), placed as (
      select given.*, unit, date_trunc(unit, occurred_at, 'UTC') as start from given cross join (values ('day'), ('hour')) as units (unit)
    ), interval_changes as (
      select partner_id, environment, unit, start, sum(transactions)::bigint as transactions, sum(cents)::bigint as cents from placed
      group by partner_id, environment, unit, start
    ), category_changes as (
      select partner_id, environment, unit, start, category, sum(transactions)::bigint as transactions, sum(cents)::bigint as cents from placed
      group by partner_id, environment, unit, start, category
    ), intervals as (
      insert into usage_intervals as kept (partner_id, environment, unit, start, user_signups, account_links, transactions, volume_cents, active_users)
      select partner_id, environment, unit, start, 0, 0, greatest(transactions, 0), greatest(cents, 0), 0 from interval_changes
      order by partner_id, environment, unit, start
      on conflict (partner_id, environment, unit, start) do update set (transactions, volume_cents) = (
        select kept.transactions + change.transactions, kept.volume_cents + change.cents from interval_changes as change
        where change.unit = kept.unit and change.start = kept.start)
      returning 1
    )
    insert into usage_categories as kept (partner_id, environment, unit, start, category, transactions, volume_cents)
    select partner_id, environment, unit, start, category, greatest(transactions, 0), greatest(cents, 0) from category_changes
    where (select count(*) from intervals) >= 0
    order by partner_id, environment, unit, start, category
    on conflict (partner_id, environment, unit, start, category) do update set (transactions, volume_cents) = (
      select kept.transactions + change.transactions, kept.volume_cents + change.cents from category_changes as change
      where change.unit = kept.unit and change.start = kept.start and change.category = kept.category)`.execute(trx)
}

/**
 * Makes usage count transactions of one end-user as they stand now, by new events and by corrections of earlier ones. Concurrent calls must not
 * concern the same transactions.
 */
export const settleTransactions = async (
  trx: Trx,
  owner: UsageOwner,
  states: TransactionState[],
  now: Date
): Promise<void> => {
  const counted = await readCounted(
    trx,
    owner,
    states.map(({ eventId }) => eventId)
  )
  const added = states.filter(({ eventId, isCounted }) => isCounted && !counted.has(eventId))
  const { partnerId, environment, userId } = owner
  await recordUsage(
    trx,
    added.map(({ eventId, amountCents, category, occurredAt }) => ({
      partnerId,
      environment,
      type: 'transaction',
      userId,
      amountCents,
      category,
      eventId,
      occurredAt
    })),
    now
  )
  const corrections = states.flatMap((state) => {
    const present = counted.get(state.eventId)
    return present === undefined ? [] : correctionsOf(state, present)
  })
  await storeCorrections(trx, owner, corrections, now)
}
