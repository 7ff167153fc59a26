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
    is_verified boolean not null default false,
    daily_limit_cents bigint check (daily_limit_cents >= 0),
    per_transaction_limit_cents bigint check (per_transaction_limit_cents >= 0),
    spent_on date,
    spent_cents bigint not null default 0 check (spent_cents >= 0),
    api_key bytea not null,
    created_at timestamptz not null,
    check ((owner_user_id is null) = (owner_partner_id is null))
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
    status text not null default 'open' check (status in ('open', 'paid', 'expired')),
    payment_intent_id text unique,
    transaction_id bigint unique references ledger_transactions,
    credits_cents bigint not null default 0 check (credits_cents >= 0),
    taken_back_cents bigint not null default 0 check (taken_back_cents >= 0),
    owed_cents bigint not null default 0 check (owed_cents >= 0),
    created_at timestamptz not null,
    paid_at timestamptz,
    check ((status = 'paid') = (transaction_id is not null and payment_intent_id is not null and paid_at is not null)),
    check (taken_back_cents + owed_cents <= credits_cents)
  )`,
  sql`create index stripe_payments_agent on stripe_payments (agent_id)`,
  // Stored for payments that are not booked yet, too, because Stripe sends events in no particular order.
  sql`create table stripe_reversals (
    source_id text primary key,
    payment_intent_id text not null,
    kind text not null check (kind in ('refund', 'dispute')),
    amount_cents bigint not null check (amount_cents >= 0),
    updated_at timestamptz not null,
    reinstated boolean not null default false,
    check (kind = 'dispute' or not reinstated)
  )`,
  sql`create index stripe_reversals_payment on stripe_reversals (payment_intent_id)`,
  sql`create table stripe_events (
    id text primary key,
    type text not null,
    received_at timestamptz not null
  )`
])
