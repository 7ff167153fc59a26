import { sql, type Selection } from 'kysely'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'

const columns = [
  'session_id as sessionId',
  'agent_id as agentId',
  'amount_cents as amountCents',
  'status',
  'taken_back_cents as takenBackCents',
  'owed_cents as owedCents'
] as const

/** A payment at Stripe that buys credits for an agent. */
export type TopUp = Selection<Database, 'stripe_payments', (typeof columns)[number]>

/** Stores an open checkout session; a session that is stored already stays unchanged. */
export const insertTopUp = async (
  trx: Trx,
  topUp: Pick<TopUp, 'sessionId' | 'agentId' | 'amountCents'> & { createdAt: Date }
): Promise<void> => {
  await trx
    .insertInto('stripe_payments')
    .values(toRow(topUp))
    .onConflict((conflict) => conflict.column('session_id').doNothing())
    .execute()
}

/** Serialises the transactions of one payment intent, whose events can arrive in any order and repeatedly. */
export const lockPaymentIntent = async (trx: Trx, paymentIntentId: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`stripe ${paymentIntentId}`}, 0))`.execute(trx)
}

export const lockTopUp = async (trx: Trx, by: 'session_id' | 'payment_intent_id', id: string) =>
  await trx.selectFrom('stripe_payments').select(columns).where(by, '=', id).forUpdate().executeTakeFirst()

/** Changes the given fields. */
export const updateTopUp = async (
  trx: Trx,
  sessionId: string,
  changes: Partial<FieldsOf<'stripe_payments'>>
): Promise<void> => {
  await trx.updateTable('stripe_payments').set(toRow(changes)).where('session_id', '=', sessionId).execute()
}

/** Marks an open session that was not paid in time. */
export const expireTopUp = async (trx: Trx, sessionId: string): Promise<void> => {
  await trx
    .updateTable('stripe_payments')
    .set({ status: 'expired' })
    .where('session_id', '=', sessionId)
    .where('status', '=', 'open')
    .execute()
}

/** A refunded charge or a dispute. */
export interface Reversal {
  sourceId: string
  paymentIntentId: string
  kind: 'refund' | 'dispute'
  /** In US cents, all refunds of the charge together. */
  amountCents: number
}

/** Records how much of a payment a refund or dispute reversed; events out of order never lower the amount. */
export const recordReversal = async (trx: Trx, reversal: Reversal, now: Date): Promise<void> => {
  await sql`insert into stripe_reversals (source_id, payment_intent_id, kind, amount_cents, updated_at)
    values (${reversal.sourceId}, ${reversal.paymentIntentId}, ${reversal.kind}, ${reversal.amountCents}::bigint, ${now}::timestamptz)
    on conflict (source_id) do update set
      amount_cents = greatest(stripe_reversals.amount_cents, excluded.amount_cents), updated_at = excluded.updated_at`.execute(
    trx
  )
}

/** Records that a dispute was won, so that it reverses nothing; the event can arrive before the one that opened the dispute. */
export const recordReinstatement = async (trx: Trx, dispute: Omit<Reversal, 'kind'>, now: Date): Promise<void> => {
  await sql`insert into stripe_reversals (source_id, payment_intent_id, kind, amount_cents, reinstated, updated_at)
    values (${dispute.sourceId}, ${dispute.paymentIntentId}, 'dispute', ${dispute.amountCents}::bigint, true, ${now}::timestamptz)
    on conflict (source_id) do update set reinstated = true, updated_at = excluded.updated_at`.execute(trx)
}

/** The amount of a payment that refunds and lost or open disputes reverse, in US cents. */
export const sumReversals = async (trx: Trx, paymentIntentId: string): Promise<number> => {
  const row = await trx
    .selectFrom('stripe_reversals')
    .select(sql<number>`coalesce(sum(amount_cents), 0)::bigint`.as('cents'))
    .where('payment_intent_id', '=', paymentIntentId)
    .where('reinstated', '=', false)
    .executeTakeFirstOrThrow()
  return row.cents
}

/** Records that an event was received. @returns false when it had been received before */
export const recordStripeEvent = async (
  trx: Trx,
  { id, type }: { id: string; type: string },
  now: Date
): Promise<boolean> => {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('stripe_events')
    .values({ id, type, received_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** What agents owe for payments that were reversed after the credits were spent, in hundredths of a credit, by agent. */
export const sumOwed = async (db: Db, agentIds: string[]): Promise<Map<string, number>> => {
  if (agentIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('stripe_payments')
    .select(['agent_id as agentId', sql<number>`sum(owed_cents)::bigint`.as('cents')])
    .where('agent_id', 'in', agentIds)
    .groupBy('agent_id')
    .execute()
  return new Map(rows.map(({ agentId, cents }) => [agentId, cents]))
}
