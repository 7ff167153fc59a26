import { sql } from 'kysely'
import { steps } from './steps.ts'

const recipients = [
  sql`create table recipients (
    id text primary key check (id like 'acc\\_recipient\\_%'),
    partner_id text not null references partners,
    environment text not null check (environment in ('test', 'live')),
    user_id text,
    name text not null,
    routing_number text not null check (routing_number ~ '^[0-9]{9}$'),
    account_number bytea,
    mask text not null,
    account_type text not null check (account_type in ('checking', 'savings')),
    plaid_account_id text not null,
    access_token bytea,
    created_at timestamptz not null,
    deleted_at timestamptz,
    check (deleted_at is not null or (account_number is not null and access_token is not null))
  )`,
  sql`create index recipients_page on recipients (partner_id, created_at desc, id desc) where deleted_at is null`,
  sql`create index recipients_to_erase on recipients (deleted_at) where deleted_at is not null and access_token is not null`
]

const transfers = [
  // A transfer is `preparing`, and invisible, until Plaid has accepted its debit. From then on its state is that of its last event.
  // `request_key` finds it for the retry of a request whose response was never committed.
  sql`create table transfers (
    id text primary key,
    partner_id text not null references partners,
    environment text not null check (environment in ('test', 'live')),
    request_key text,
    user_id text not null,
    from_account_id text not null,
    to_account_id text not null,
    amount_cents bigint not null check (amount_cents > 0),
    currency text not null check (currency = 'USD'),
    memo text,
    legal_name text,
    credit_rail text not null check (credit_rail in ('ach', 'same_day_ach', 'rtp')),
    state text not null default 'preparing'
      check (state in ('preparing', 'submitted', 'pending', 'posted', 'settled', 'failed', 'returned', 'cancelled')),
    last_sequence integer not null default 0 check (last_sequence >= 0),
    created_at timestamptz not null,
    touched_at timestamptz not null,
    unique (id, amount_cents),
    unique (id, from_account_id, amount_cents),
    check (from_account_id <> to_account_id),
    check ((state = 'preparing') = (last_sequence = 0))
  )`,
  sql`create unique index transfers_request on transfers (partner_id, request_key) where request_key is not null`,
  // A list is read through one of these, whatever its filters.
  sql`create index transfers_page on transfers (partner_id, environment, created_at desc, id desc)`,
  sql`create index transfers_state on transfers (partner_id, environment, state, created_at desc, id desc)`,
  sql`create index transfers_user on transfers (partner_id, environment, user_id, created_at desc, id desc)`,
  sql`create index transfers_amount on transfers (partner_id, environment, amount_cents, created_at desc, id desc)`,
  sql`create index transfers_from on transfers (from_account_id, created_at desc, id desc)`,
  sql`create index transfers_to on transfers (to_account_id, created_at desc, id desc)`,
  sql`create index transfers_request_age on transfers (created_at) where request_key is not null`,
  sql`create index transfers_preparing on transfers (touched_at) where state = 'preparing'`,
  sql`create index transfers_touched on transfers (environment, touched_at)`,
  sql`create table transfer_events (
    transfer_id text not null references transfers,
    sequence integer not null check (sequence > 0),
    state text not null,
    reason text,
    created_at timestamptz not null,
    primary key (transfer_id, sequence)
  )`,
  // The movements of a transfer at Plaid, each of the transfer's amount: a debit, then a credit, and a refund if the credit fails.
  sql`create table transfer_legs (
    id text primary key,
    transfer_id text not null,
    amount_cents bigint not null,
    kind text not null check (kind in ('debit', 'credit', 'refund')),
    attempt integer not null check (attempt > 0),
    network text not null check (network in ('ach', 'same-day-ach', 'rtp')),
    status text not null check (status in ('wanted', 'pending', 'posted', 'settled', 'funds_available', 'failed', 'returned', 'cancelled')),
    authorization_attempt integer not null default 1,
    authorization_id text,
    authorized_at timestamptz,
    plaid_transfer_id text unique,
    reason text,
    retry_at timestamptz,
    created_at timestamptz not null,
    unique (transfer_id, kind, attempt),
    foreign key (transfer_id, amount_cents) references transfers (id, amount_cents) on delete cascade,
    check ((authorization_id is null) = (authorized_at is null)),
    check (kind <> 'debit' or network <> 'rtp'),
    check (status not in ('posted', 'settled', 'funds_available', 'returned') or plaid_transfer_id is not null)
  )`,
  sql`create unique index transfer_legs_live on transfer_legs (transfer_id, kind) where status not in ('failed', 'returned', 'cancelled')`,
  sql`create index transfer_legs_wanted on transfer_legs (retry_at, id) where status = 'wanted' and kind <> 'debit'`,
  sql`create index transfer_legs_recallable on transfer_legs (retry_at, id) where status in ('wanted', 'pending') and kind <> 'debit'`,
  sql`create index transfer_legs_under_way on transfer_legs (id) where status in ('wanted', 'pending') and kind <> 'debit'`
]

const funds = [
  sql`create table account_funds (account_id text primary key, held_cents bigint not null check (held_cents >= 0))`,
  sql`create table transfer_holds (
    transfer_id text primary key,
    account_id text not null references account_funds,
    amount_cents bigint not null,
    available_cents bigint,
    created_at timestamptz not null,
    released_at timestamptz,
    foreign key (transfer_id, account_id, amount_cents) references transfers (id, from_account_id, amount_cents) on delete cascade
  )`,
  sql`create index transfer_holds_account on transfer_holds (account_id, released_at)`
]

const upstream = [
  sql`create table plaid_transfer_cursors (source text primary key, after_id bigint not null check (after_id >= 0))`,
  sql`create table plaid_transfer_events (
    source text not null references plaid_transfer_cursors,
    event_id bigint not null,
    plaid_transfer_id text not null,
    type text not null,
    reason text,
    received_at timestamptz not null,
    applied_at timestamptz,
    primary key (source, event_id)
  )`,
  sql`create index plaid_transfer_events_open on plaid_transfer_events (plaid_transfer_id, event_id) where applied_at is null`,
  sql`create index plaid_transfer_events_age on plaid_transfer_events (received_at)`
]

/** Recipients; transfers, their states as an append-only history, the money movements behind them, and what they hold; what Plaid reported. */
export const payments = steps([...recipients, ...transfers, ...funds, ...upstream])
