import { sql } from 'kysely'
import { steps } from './steps.ts'

/** Agents, the approvals of their owners, and payments for credits. */
export const agents = steps([
  sql`create table agents (
    agent_id text primary key references ledger_wallets,
    name text not null,
    owner_user_id text references users,
    owner_partner_id text references partners,
    status text not null default 'active' check (status in ('active', 'paused', 'revoked')),
    pause_reason text check (pause_reason in ('owner', 'debt')),
    is_verified boolean not null default false,
    daily_limit_cents bigint check (daily_limit_cents >= 0),
    per_transaction_limit_cents bigint check (per_transaction_limit_cents >= 0),
    spent_on date,
    spent_cents bigint not null default 0 check (spent_cents >= 0),
    owed_cents bigint not null default 0 check (owed_cents >= 0),
    -- A revoked agent has no key.
    api_key bytea,
    created_at timestamptz not null,
    check ((status = 'revoked') = (api_key is null)),
    check ((owner_user_id is null) = (owner_partner_id is null)),
    check ((status = 'paused') = (pause_reason is not null)),
    -- An agent that owes is paused or revoked, and one that owes nothing is not paused for debt.
    check (status <> 'active' or owed_cents = 0),
    check (pause_reason is distinct from 'debt' or owed_cents > 0)
  )`,
  sql`create index agents_owner on agents (owner_user_id, created_at desc, agent_id desc)`,
  sql`create table approvals (
    id bigint generated always as identity primary key,
    agent_id text not null references agents,
    amount_cents bigint not null check (amount_cents > 0),
    description text not null,
    item_name text,
    url text,
    reason text not null check (reason in ('requested', 'daily_limit', 'per_transaction_limit')),
    status text not null default 'pending' check (status in ('pending', 'approved', 'rejected', 'expired')),
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    decided_at timestamptz,
    decided_by text references users,
    transaction_id bigint unique references ledger_transactions,
    check ((status = 'approved') = (transaction_id is not null)),
    check ((status in ('approved', 'rejected')) = (decided_at is not null and decided_by is not null))
  )`,
  sql`create index approvals_status on approvals (agent_id, status, id desc)`,
  sql`create index approvals_expiry on approvals (expires_at) where status = 'pending'`,
  sql`create table stripe_payments (
    session_id text primary key,
    agent_id text not null references agents,
    amount_cents bigint not null check (amount_cents > 0),
    status text not null default 'open' check (status in ('open', 'paid', 'expired', 'refused')),
    payment_intent_id text unique,
    transaction_id bigint unique references ledger_transactions,
    credits_cents bigint not null default 0 check (credits_cents >= 0),
    reversed_cents bigint not null default 0 check (reversed_cents between 0 and credits_cents),
    presented_amount bigint check (presented_amount >= 0),
    presented_currency text check (presented_currency ~ '^[a-z]{3}$'),
    refusal text check (refusal in ('agent_revoked', 'amount_mismatch')),
    refunded_at timestamptz,
    created_at timestamptz not null,
    paid_at timestamptz,
    check ((status in ('paid', 'refused')) = (payment_intent_id is not null)),
    check ((payment_intent_id is null) = (paid_at is null)),
    check ((status = 'paid') = (transaction_id is not null)),
    check ((status = 'paid') = (credits_cents > 0)),
    check ((status = 'refused') = (refusal is not null)),
    check (refunded_at is null or status = 'refused')
  )`,
  sql`create index stripe_payments_open on stripe_payments (created_at) where status = 'open'`,
  sql`create index stripe_payments_refused on stripe_payments (paid_at) where status = 'refused' and refunded_at is null`,
  // Stored for payments that are not booked yet, too, because Stripe sends events in no particular order.
  sql`create table stripe_reversals (
    source_id text primary key,
    payment_intent_id text not null,
    kind text not null check (kind in ('refund', 'dispute', 'charge')),
    amount bigint not null check (amount >= 0),
    currency text not null check (currency ~ '^[a-z]{3}$'),
    is_void boolean not null,
    updated_at timestamptz not null,
    check (kind <> 'charge' or not is_void)
  )`,
  sql`create index stripe_reversals_payment on stripe_reversals (payment_intent_id)`,
  sql`create table stripe_events (
    id text primary key,
    type text not null,
    received_at timestamptz not null
  )`
])
