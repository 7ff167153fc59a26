import { sql, type Kysely } from 'kysely'

/**
 * State of the built-in Stripe simulator. It lives in our database, so that several instances
 * show one and the same Stripe, and so that an event outlives the process that recorded it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table stripe_sim_sessions (
      id text primary key,
      sequence bigint generated always as identity unique,
      status text not null default 'open' check (status in ('open', 'complete', 'expired')),
      currency text not null check (currency ~ '^[a-z]{3}$'),
      amount_cents bigint not null check (amount_cents > 0),
      details jsonb not null,
      created_at timestamptz not null,
      expires_at timestamptz not null check (expires_at > created_at)
    )`.execute(db)
  await sql`create index stripe_sim_sessions_open on stripe_sim_sessions (expires_at) where status = 'open'`.execute(db)
  // A payment intent and its one charge are one row; the unique session is what makes a double click charge once.
  await sql`
    create table stripe_sim_payments (
      payment_intent_id text primary key,
      charge_id text not null unique,
      session_id text not null unique references stripe_sim_sessions (id),
      sequence bigint generated always as identity unique,
      currency text not null,
      amount_cents bigint not null check (amount_cents > 0),
      refunded_cents bigint not null default 0 check (refunded_cents between 0 and amount_cents),
      disputed boolean not null default false,
      details jsonb not null,
      created_at timestamptz not null
    )`.execute(db)
  await sql`
    create table stripe_sim_refunds (
      id text primary key,
      sequence bigint generated always as identity unique,
      payment_intent_id text not null references stripe_sim_payments (payment_intent_id),
      amount_cents bigint not null check (amount_cents > 0),
      reason text,
      metadata jsonb not null,
      created_at timestamptz not null
    )`.execute(db)
  await sql`create index stripe_sim_refunds_payment on stripe_sim_refunds (payment_intent_id)`.execute(db)
  await sql`
    create table stripe_sim_disputes (
      id text primary key,
      sequence bigint generated always as identity unique,
      payment_intent_id text not null unique references stripe_sim_payments (payment_intent_id),
      amount_cents bigint not null check (amount_cents > 0),
      reason text not null,
      created_at timestamptz not null,
      status text not null default 'needs_response' check (status in ('needs_response', 'won', 'lost'))
    )`.execute(db)
  // The body is text: every delivery of an event must carry the same bytes.
  await sql`
    create table stripe_sim_events (
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
  await sql`create index stripe_sim_events_pending on stripe_sim_events (next_attempt_at) where state = 'pending'`.execute(
    db
  )
  await sql`
    create table stripe_sim_idempotency_keys (
      key text primary key,
      fingerprint text not null,
      request_id text not null,
      status integer,
      body text,
      created_at timestamptz not null
    )`.execute(db)
}
