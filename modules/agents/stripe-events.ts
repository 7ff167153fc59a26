import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

// The parts of Stripe's objects that are read. An API version of Stripe can leave out what is optional here.
const Id = Type.String({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' })
const Amount = Type.Integer({ minimum: 0, maximum: 999_999_999_999 })
const Currency = Type.String({ pattern: '^[A-Za-z]{3}$' })
const nullable = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))
/** The id of another object, or that object itself. */
const Reference = nullable(Type.Union([Id, Type.Object({ id: Id })]))

const Session = Type.Object({
  id: Id,
  payment_status: Type.String(),
  payment_intent: Reference,
  amount_total: nullable(Amount),
  currency: nullable(Currency),
  currency_conversion: nullable(Type.Object({ amount_total: Amount, source_currency: Currency })),
  presentment_details: nullable(Type.Object({ presentment_amount: Amount, presentment_currency: Currency })),
  metadata: nullable(Type.Record(Type.String(), Type.String()))
})
const ExpiredSession = Type.Pick(Session, ['id'])
const Charge = Type.Object({ id: Id, payment_intent: Reference, amount_refunded: Amount, currency: nullable(Currency) })
const Refund = Type.Object({
  id: Id,
  payment_intent: Reference,
  amount: Amount,
  currency: nullable(Currency),
  status: nullable(Type.String())
})
const Dispute = Type.Object({
  id: Id,
  payment_intent: Reference,
  amount: Amount,
  currency: nullable(Currency),
  status: Type.String()
})
const Envelope = Type.Object({ id: Id, type: Id, data: Type.Object({ object: Type.Unknown() }) })

/** An amount in the smallest unit of its currency, whose code is in lower case. */
export interface ForeignAmount {
  amount: number
  currency: string
}

/** A session that was paid. */
export interface PaidSession {
  sessionId: string
  paymentIntentId: string
  /** What was charged in the currency of the order. */
  total: ForeignAmount
  /** What the buyer saw and paid, in another currency when Stripe converted the price. */
  presented: ForeignAmount
  metadata: Record<string, string>
}

/** What a payment intent lost to its refunds or to a dispute. */
export interface Reversal extends ForeignAmount {
  /** The refund, the dispute, or the charge with the sum of its refunds. */
  sourceId: string
  paymentIntentId: string
  kind: 'refund' | 'dispute' | 'charge'
  /** It reverses nothing any more: the refund failed or was cancelled, or the dispute was won. */
  isVoid: boolean
}

export type StripeNews =
  | { kind: 'paid'; session: PaidSession }
  | { kind: 'expired'; sessionId: string }
  | { kind: 'reversed'; reversal: Reversal }
  /** Nothing to do. */
  | { kind: 'ignored' }
  /** An event of a known type whose object has an unknown shape. */
  | { kind: 'unknown' }

const ignored: StripeNews = { kind: 'ignored' }

const idOf = (reference: Static<typeof Reference> | undefined): string | undefined =>
  typeof reference === 'string' ? reference : reference?.id

/** Sessions of Stripe's older API versions have the buyer's currency, and the order's in `currency_conversion`. */
const totalsOf = (session: Static<typeof Session>): { total: ForeignAmount; presented: ForeignAmount } | undefined => {
  const { amount_total: amount, currency, currency_conversion: source, presentment_details: shown } = session
  if (typeof amount !== 'number' || typeof currency !== 'string') return undefined
  const own = { amount, currency: currency.toLowerCase() }
  if (source)
    return { total: { amount: source.amount_total, currency: source.source_currency.toLowerCase() }, presented: own }
  if (!shown) return { total: own, presented: own }
  const presented = { amount: shown.presentment_amount, currency: shown.presentment_currency.toLowerCase() }
  return { total: own, presented }
}

/** Reads a checkout session, from an event or from Stripe's API. */
export const readSession = (session: unknown): StripeNews => {
  if (!Value.Check(Session, session)) return { kind: 'unknown' }
  if (session.payment_status !== 'paid') return ignored
  const [paymentIntentId, totals] = [idOf(session.payment_intent), totalsOf(session)]
  if (paymentIntentId === undefined || totals === undefined) return { kind: 'unknown' }
  return {
    kind: 'paid',
    session: { sessionId: session.id, paymentIntentId, ...totals, metadata: session.metadata ?? {} }
  }
}

const reversalOf = (
  kind: Reversal['kind'],
  source: Pick<Static<typeof Refund>, 'id' | 'payment_intent' | 'currency'>,
  amount: number,
  isVoid: boolean
): StripeNews => {
  const paymentIntentId = idOf(source.payment_intent)
  // A charge without a payment intent is none of ours.
  if (paymentIntentId === undefined) return ignored
  const currency = (source.currency ?? 'usd').toLowerCase()
  return { kind: 'reversed', reversal: { sourceId: source.id, paymentIntentId, kind, amount, currency, isVoid } }
}

const readRefund = (refund: unknown): StripeNews => {
  if (!Value.Check(Refund, refund)) return { kind: 'unknown' }
  return reversalOf('refund', refund, refund.amount, refund.status === 'failed' || refund.status === 'canceled')
}

const readDispute = (dispute: unknown): StripeNews => {
  if (!Value.Check(Dispute, dispute)) return { kind: 'unknown' }
  // An inquiry (`warning_…`) takes no money; a `funds_withdrawn` event follows if it becomes a dispute.
  if (dispute.status.startsWith('warning_')) return ignored
  return reversalOf('dispute', dispute, dispute.amount, dispute.status === 'won')
}

const readers: Record<string, (object: unknown) => StripeNews> = {
  'checkout.session.completed': readSession,
  'checkout.session.async_payment_succeeded': readSession,
  'checkout.session.async_payment_failed': (object) => readExpiry(object),
  'checkout.session.expired': (object) => readExpiry(object),
  'charge.refunded': (object) =>
    Value.Check(Charge, object) ? reversalOf('charge', object, object.amount_refunded, false) : { kind: 'unknown' },
  'charge.refund.updated': readRefund,
  'refund.created': readRefund,
  'refund.updated': readRefund,
  'refund.failed': readRefund,
  'charge.dispute.created': readDispute,
  'charge.dispute.funds_withdrawn': readDispute,
  'charge.dispute.closed': readDispute,
  'charge.dispute.funds_reinstated': readDispute
}

const readExpiry = (object: unknown): StripeNews =>
  Value.Check(ExpiredSession, object) ? { kind: 'expired', sessionId: object.id } : { kind: 'unknown' }

export interface StripeEvent {
  id: string
  type: string
  news: StripeNews
}

/** Reads an event that Stripe signed; undefined when its shape is unknown. */
export const readStripeEvent = (event: unknown): StripeEvent | undefined => {
  if (!Value.Check(Envelope, event)) return undefined
  const { id, type, data } = event
  const news = Object.hasOwn(readers, type) ? readers[type]?.(data.object) : undefined
  return news?.kind === 'unknown' ? undefined : { id, type, news: news ?? ignored }
}
