import type { ColumnType, Generated, Selectable } from 'kysely'

/** A jsonb column: read as a value, written as JSON text. */
type Json<T> = ColumnType<T, string, string>
export type Metadata = Record<string, string>

export interface LineItemDetails {
  id: string
  priceId: string
  productId: string
  name: string
  description: string | null
  unitAmountCents: number
  quantity: number
}

export interface PaymentDetails {
  description: string | null
  metadata: Metadata
  receiptEmail: string | null
  statementDescriptorSuffix: string | null
  customerEmail: string | null
}

export interface SessionDetails {
  lineItems: LineItemDetails[]
  clientReferenceId: string | null
  metadata: Metadata
  successUrl: string
  cancelUrl: string | null
  customerEmail: string | null
  locale: string | null
  submitType: string | null
  payment: PaymentDetails
}

export interface SessionsTable {
  id: string
  sequence: Generated<number>
  status: Generated<'open' | 'complete' | 'expired'>
  currency: string
  amount_cents: number
  details: Json<SessionDetails>
  created_at: Date
  expires_at: Date
}

export interface PaymentsTable {
  payment_intent_id: string
  charge_id: string
  session_id: string
  sequence: Generated<number>
  currency: string
  amount_cents: number
  refunded_cents: Generated<number>
  disputed: Generated<boolean>
  details: Json<PaymentDetails>
  created_at: Date
}

export interface RefundsTable {
  id: string
  sequence: Generated<number>
  payment_intent_id: string
  amount_cents: number
  reason: string | null
  status: Generated<'succeeded' | 'failed' | 'canceled'>
  metadata: Json<Metadata>
  created_at: Date
}

export interface DisputesTable {
  id: string
  sequence: Generated<number>
  payment_intent_id: string
  amount_cents: number
  reason: string
  status: Generated<'needs_response' | 'won' | 'lost'>
  created_at: Date
}

export interface EventsTable {
  id: string
  sequence: Generated<number>
  type: string
  body: string
  state: 'pending' | 'held' | 'delivered' | 'failed'
  attempts: Generated<number>
  next_attempt_at: Date
  leased_until: Date | null
  last_error: string | null
  created_at: Date
}

export interface IdempotencyKeysTable {
  key: string
  fingerprint: string
  request_id: string
  status: number | null
  body: string | null
  created_at: Date
}

export type SessionRow = Selectable<SessionsTable> & { payment_intent_id: string | null }
export type PaymentRow = Selectable<PaymentsTable>
export type RefundRow = Selectable<RefundsTable> & { charge_id: string; currency: string }
export type DisputeRow = Selectable<DisputesTable> & { charge_id: string; currency: string }
export type EventRow = Selectable<EventsTable>

declare module '../../plugins/database/types.ts' {
  interface Database {
    'simulators.stripe_sessions': SessionsTable
    'simulators.stripe_payments': PaymentsTable
    'simulators.stripe_refunds': RefundsTable
    'simulators.stripe_disputes': DisputesTable
    'simulators.stripe_event_log': EventsTable
    'simulators.stripe_idempotency_keys': IdempotencyKeysTable
  }
}
