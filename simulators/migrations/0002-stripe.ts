import { sql, type Kysely } from 'kysely'

const createPayments = async (db: Kysely<unknown>): Promise<void> => {
  await sql`create table simulators.stripe_sessions (
    id text primary key,
    sequence bigint generated always as identity unique,
    status text not null default 'open' check (status in ('open', 'complete', 'expired')),
    currency text not null check (currency ~ '^[a-z]{3}$'),
    amount_cents bigint not null check (amount_cents > 0),
    details jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at)
  )`.execute(db)
  await sql`create index stripe_sessions_open on simulators.stripe_sessions (expires_at)
    where status = 'open'`.execute(db)
  // A payment intent and its only charge share a row. The unique session_id makes a double click charge once.
  await sql`create table simulators.stripe_payments (
    payment_intent_id text primary key,
    charge_id text not null unique,
    session_id text not null unique references simulators.stripe_sessions,
    sequence bigint generated always as identity unique,
    currency text not null,
    amount_cents bigint not null check (amount_cents > 0),
    refunded_cents bigint not null default 0 check (refunded_cents between 0 and amount_cents),
    disputed boolean not null default false,
    details jsonb not null,
    created_at timestamptz not null
  )`.execute(db)
  await sql`create table simulators.stripe_refunds (
    id text primary key,
    sequence bigint generated always as identity unique,
    payment_intent_id text not null references simulators.stripe_payments,
    amount_cents bigint not null check (amount_cents > 0),
    reason text,
    status text not null default 'succeeded' check (status in ('succeeded', 'failed', 'canceled')),
    metadata jsonb not null,
    created_at timestamptz not null
  )`.execute(db)
  await sql`create index stripe_refunds_payment on simulators.stripe_refunds (payment_intent_id)`.execute(db)
  await sql`create table simulators.stripe_disputes (
    id text primary key,
    sequence bigint generated always as identity unique,
    payment_intent_id text not null unique references simulators.stripe_payments,
    amount_cents bigint not null check (amount_cents > 0),
    reason text not null,
    status text not null default 'needs_response' check (status in ('needs_response', 'won', 'lost')),
    created_at timestamptz not null
  )`.execute(db)
}

const createEvents = async (db: Kysely<unknown>): Promise<void> => {
  // The body is text, because every delivery of an event carries the same bytes.
  await sql`create table simulators.stripe_event_log (
    id text primary key,
    sequence bigint generated always as identity unique,
    type text not null,
    body text not null,
    state text not null check (state in ('pending', 'held', 'delivered', 'failed')),
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at timestamptz not null,
    leased_until timestamptz,
    last_error text,
    created_at timestamptz not null
  )`.execute(db)
  await sql`create index stripe_event_log_pending on simulators.stripe_event_log (next_attempt_at)
    where state = 'pending'`.execute(db)
}

const createIdempotencyKeys = async (db: Kysely<unknown>): Promise<void> => {
  await sql`create table simulators.stripe_idempotency_keys (
    key text primary key,
    fingerprint text not null,
    request_id text not null,
    status integer,
    body text,
    created_at timestamptz not null
  )`.execute(db)
}

/** The Stripe simulator's state. Instances share it, and recorded events survive a restart. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await createPayments(db)
  await createEvents(db)
  await createIdempotencyKeys(db)
}
