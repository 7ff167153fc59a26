import { sql, type Selection } from 'kysely'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import type { StoredReversal } from '../reversals.ts'
import type { Reversal } from '../stripe-events.ts'

const columns = [
  'session_id as sessionId',
  'agent_id as agentId',
  'amount_cents as amountCents',
  'status',
  'refusal',
  'credits_cents as creditsCents',
  'reversed_cents as reversedCents',
  'presented_amount as presentedAmount',
  'presented_currency as presentedCurrency'
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

export const findTopUp = async (
  db: Db,
  by: 'session_id' | 'payment_intent_id',
  id: string
): Promise<TopUp | undefined> =>
  await db.selectFrom('stripe_payments').select(columns).where(by, '=', id).executeTakeFirst()

export const lockTopUp = async (trx: Trx, sessionId: string): Promise<TopUp> =>
  await trx
    .selectFrom('stripe_payments')
    .select(columns)
    .where('session_id', '=', sessionId)
    .forUpdate()
    .executeTakeFirstOrThrow()

/** Changes the given fields. */
export const updateTopUp = async (
  db: Db,
  sessionId: string,
  changes: Partial<FieldsOf<'stripe_payments'>>
): Promise<void> => {
  await db.updateTable('stripe_payments').set(toRow(changes)).where('session_id', '=', sessionId).execute()
}

/** Marks an open session that was not paid in time. */
export const expireTopUp = async (db: Db, sessionId: string): Promise<void> => {
  await db
    .updateTable('stripe_payments')
    .set({ status: 'expired' })
    .where('session_id', '=', sessionId)
    .where('status', '=', 'open')
    .execute()
}

const batch = 50

/** Open sessions of revoked agents, oldest first. */
export const listOpenOfRevoked = async (db: Db) =>
  await db
    .selectFrom('stripe_payments')
    .innerJoin('agents', 'agents.agent_id', 'stripe_payments.agent_id')
    .select('session_id as sessionId')
    .where('stripe_payments.status', '=', sql.lit('open'))
    .where('agents.status', '=', 'revoked')
    .orderBy('stripe_payments.created_at')
    .limit(batch)
    .execute()

/** Payments that were not booked and not refunded yet, oldest first. */
export const listUnrefunded = async (db: Db) =>
  await db
    .selectFrom('stripe_payments')
    .select(['session_id as sessionId', 'payment_intent_id as paymentIntentId'])
    .where('status', '=', sql.lit('refused'))
    .where('refunded_at', 'is', null)
    .$narrowType<{ paymentIntentId: string }>()
    .orderBy('paid_at')
    .limit(batch)
    .execute()

export type RefusedTopUp = Awaited<ReturnType<typeof listUnrefunded>>[number]

/** Records what a refund or dispute reversed. Events out of order never lower the amount, and what is void stays void. */
export const recordReversal = async (trx: Trx, reversal: Reversal, now: Date): Promise<void> => {
  await trx
    .insertInto('stripe_reversals')
    .values({ ...toRow(reversal), updated_at: now })
    .onConflict((conflict) =>
      conflict.column('source_id').doUpdateSet({
        amount: sql`greatest(stripe_reversals.amount, excluded.amount)`,
        is_void: sql`stripe_reversals.is_void or excluded.is_void`,
        updated_at: now
      })
    )
    .execute()
}

/** The refunds and disputes of a payment. */
export const listReversals = async (trx: Trx, paymentIntentId: string): Promise<StoredReversal[]> =>
  await trx
    .selectFrom('stripe_reversals')
    .select(['kind', 'amount', 'currency', 'is_void as isVoid'])
    .where('payment_intent_id', '=', paymentIntentId)
    .execute()

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
