import { sql, type Selectable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { StripePaymentsTable } from '../tables.ts'

export type PaymentRow = Selectable<StripePaymentsTable>

/** Notes an open payment session; one that is known stays as it is. */
export const insertPayment = async (
  trx: Trx,
  payment: { sessionId: string; agentId: string; amountCents: number; createdAt: Date }
): Promise<void> => {
  await trx
    .insertInto('stripe_payments')
    .values({
      session_id: payment.sessionId,
      agent_id: payment.agentId,
      amount_cents: payment.amountCents,
      payment_intent_id: null,
      transaction_id: null,
      created_at: payment.createdAt,
      paid_at: null
    })
    .onConflict((conflict) => conflict.column('session_id').doNothing())
    .execute()
}

/** Makes what happens to one payment happen one after the other, whatever order and however often its events come. */
export const lockPaymentIntent = async (trx: Trx, paymentIntentId: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`stripe ${paymentIntentId}`}, 0))`.execute(trx)
}

export const lockPaymentBySession = async (trx: Trx, sessionId: string): Promise<PaymentRow | undefined> =>
  await trx.selectFrom('stripe_payments').selectAll().where('session_id', '=', sessionId).forUpdate().executeTakeFirst()

export const lockPaymentByIntent = async (trx: Trx, paymentIntentId: string): Promise<PaymentRow | undefined> =>
  await trx
    .selectFrom('stripe_payments')
    .selectAll()
    .where('payment_intent_id', '=', paymentIntentId)
    .forUpdate()
    .executeTakeFirst()

export const updatePayment = async (
  trx: Trx,
  sessionId: string,
  changes: Partial<
    Pick<
      PaymentRow,
      | 'status'
      | 'amount_cents'
      | 'payment_intent_id'
      | 'transaction_id'
      | 'credits_cents'
      | 'taken_back_cents'
      | 'owed_cents'
      | 'paid_at'
    >
  >
): Promise<void> => {
  await trx.updateTable('stripe_payments').set(changes).where('session_id', '=', sessionId).execute()
}

/** Marks a session that nobody paid in time. */
export const expirePayment = async (trx: Trx, sessionId: string): Promise<void> => {
  await trx
    .updateTable('stripe_payments')
    .set({ status: 'expired' })
    .where('session_id', '=', sessionId)
    .where('status', '=', 'open')
    .execute()
}

/** Notes how much of a payment went back by this refund or dispute; events out of order never lower it. */
export const noteReversal = async (
  trx: Trx,
  reversal: { sourceId: string; paymentIntentId: string; kind: 'refund' | 'dispute'; amountCents: number; now: Date }
): Promise<void> => {
  await sql`insert into stripe_reversals (source_id, payment_intent_id, kind, amount_cents, updated_at)
    values (${reversal.sourceId}, ${reversal.paymentIntentId}, ${reversal.kind}, ${reversal.amountCents}::bigint, ${reversal.now}::timestamptz)
    on conflict (source_id) do update set
      amount_cents = greatest(stripe_reversals.amount_cents, excluded.amount_cents), updated_at = excluded.updated_at`.execute(
    trx
  )
}

/** Notes that a dispute was won, also before it is known that there was one. What it took back counts no more. */
export const noteReinstatement = async (
  trx: Trx,
  dispute: { sourceId: string; paymentIntentId: string; amountCents: number; now: Date }
): Promise<void> => {
  await sql`insert into stripe_reversals (source_id, payment_intent_id, kind, amount_cents, reinstated, updated_at)
    values (${dispute.sourceId}, ${dispute.paymentIntentId}, 'dispute', ${dispute.amountCents}::bigint, true, ${dispute.now}::timestamptz)
    on conflict (source_id) do update set reinstated = true, updated_at = excluded.updated_at`.execute(trx)
}

/** How much of a payment went back in all and stays there, in US cents. */
export const sumReversals = async (trx: Trx, paymentIntentId: string): Promise<number> => {
  const row = await trx
    .selectFrom('stripe_reversals')
    .select(sql<number>`coalesce(sum(amount_cents), 0)::bigint`.as('cents'))
    .where('payment_intent_id', '=', paymentIntentId)
    .where('reinstated', '=', false)
    .executeTakeFirstOrThrow()
  return row.cents
}

/** Notes that an event was taken. @returns false when it had been taken before. */
export const noteEvent = async (trx: Trx, event: { id: string; type: string; now: Date }): Promise<boolean> => {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('stripe_events')
    .values({ id: event.id, type: event.type, received_at: event.now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}

/** What the agents owe for payments that went back after they were spent, in hundredths of a credit, by agent. */
export const sumOwed = async (db: Db, agentIds: string[]): Promise<Map<string, number>> => {
  if (agentIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('stripe_payments')
    .select(['agent_id', sql<number>`sum(owed_cents)::bigint`.as('cents')])
    .where('agent_id', 'in', agentIds)
    .groupBy('agent_id')
    .execute()
  return new Map(rows.map((row) => [row.agent_id, row.cents]))
}
