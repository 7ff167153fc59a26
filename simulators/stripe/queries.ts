import { sql } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import { resourceMissing } from './errors.ts'
import { isId } from './identifiers.ts'
import type { DisputeRow, EventRow, PaymentRow, RefundRow, SessionRow } from './tables.ts'

/** A database or a transaction. */
export type Reader = Pick<Db, 'selectFrom'>

export const sessions = (db: Reader) =>
  db
    .selectFrom('simulators.stripe_sessions as t')
    .leftJoin('simulators.stripe_payments as p', 'p.session_id', 't.id')
    .selectAll('t')
    .select('p.payment_intent_id')

export const refunds = (db: Reader) =>
  db
    .selectFrom('simulators.stripe_refunds as t')
    .innerJoin('simulators.stripe_payments as p', 'p.payment_intent_id', 't.payment_intent_id')
    .selectAll('t')
    .select(['p.charge_id', 'p.currency'])

export const disputes = (db: Reader) =>
  db
    .selectFrom('simulators.stripe_disputes as t')
    .innerJoin('simulators.stripe_payments as p', 'p.payment_intent_id', 't.payment_intent_id')
    .selectAll('t')
    .select(['p.charge_id', 'p.currency'])

export const findSession = async (db: Reader, id: string): Promise<SessionRow | undefined> =>
  isId(id) ? await sessions(db).where('t.id', '=', id).executeTakeFirst() : undefined

/** Each `load…` throws Stripe's `resource_missing`, naming `param`, when there is no such object. */
export const loadSession = async (db: Reader, id: string): Promise<SessionRow> =>
  (await findSession(db, id)) ?? missing('checkout.session', id, 'session')

export const loadPayment = async (
  db: Reader,
  id: string,
  param = 'intent',
  status: 400 | 404 = 404
): Promise<PaymentRow> => {
  const row = isId(id)
    ? await db
        .selectFrom('simulators.stripe_payments')
        .selectAll()
        .where('payment_intent_id', '=', id)
        .executeTakeFirst()
    : undefined
  return row ?? missing('payment_intent', id, param, status)
}

export const loadPaymentOfCharge = async (
  db: Reader,
  id: string,
  param = 'id',
  status: 400 | 404 = 404
): Promise<PaymentRow> => {
  const row = isId(id)
    ? await db.selectFrom('simulators.stripe_payments').selectAll().where('charge_id', '=', id).executeTakeFirst()
    : undefined
  return row ?? missing('charge', id, param, status)
}

export const loadRefund = async (db: Reader, id: string): Promise<RefundRow> => {
  const row = isId(id) ? await refunds(db).where('t.id', '=', id).executeTakeFirst() : undefined
  return row ?? missing('refund', id, 'id')
}

export const loadDispute = async (db: Reader, id: string): Promise<DisputeRow> => {
  const row = isId(id) ? await disputes(db).where('t.id', '=', id).executeTakeFirst() : undefined
  return row ?? missing('dispute', id, 'dispute')
}

export const loadEvent = async (db: Reader, id: string): Promise<EventRow> => {
  const row = isId(id)
    ? await db.selectFrom('simulators.stripe_event_log').selectAll().where('id', '=', id).executeTakeFirst()
    : undefined
  return row ?? missing('event', id, 'id')
}

/** The balance of each currency in its smallest unit: payments less refunds and disputes, without fees. */
export const balances = async (db: Reader): Promise<Array<{ currency: string; amount: number }>> => {
  const rows = await db
    .selectFrom('simulators.stripe_payments as p')
    .leftJoin('simulators.stripe_disputes as d', 'd.payment_intent_id', 'p.payment_intent_id')
    .select([
      'p.currency',
      sql<number>`sum(p.amount_cents - p.refunded_cents - case when d.status <> 'won' then d.amount_cents else 0 end)::int8`.as(
        'amount'
      )
    ])
    .groupBy('p.currency')
    .orderBy('p.currency')
    .execute()
  return rows.length > 0 ? rows : [{ currency: 'usd', amount: 0 }]
}

const missing = (noun: string, id: string, param: string, status: 400 | 404 = 404): never => {
  throw resourceMissing(noun, id, param, status)
}
