import { sql } from 'kysely'
import { steps } from './steps.ts'

/** Bank links, their accounts, and their transactions as a feed of changes. */
export const linking = steps([
  sql`create table items (
    id text primary key,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    user_id text not null,
    plaid_item_id text not null unique,
    access_token bytea not null,
    institution_id text,
    institution_name text,
    status text not null default 'ok' check (status in ('ok', 'login_required', 'error')),
    error_code text,
    sync_cursor text,
    last_synced_at timestamptz,
    history text not null default 'loading' check (history in ('loading', 'recent', 'complete')),
    new_accounts_available boolean not null default false,
    access_ends_at timestamptz,
    syncs_wanted bigint not null default 0,
    syncs_done bigint not null default 0 check (syncs_done <= syncs_wanted),
    sync_retry_at timestamptz,
    created_at timestamptz not null,
    removal_began_at timestamptz,
    check (status = 'ok' or error_code is not null),
    check (sync_cursor is null or last_synced_at is not null)
  )`,
  sql`create index items_user on items (partner_id, user_id, created_at desc, id desc)`,
  sql`create index items_to_sync on items (sync_retry_at, id) where syncs_wanted > syncs_done`,
  sql`create table item_public_tokens (
    partner_id text not null references partners on delete cascade,
    token_hash bytea not null,
    item_id text not null references items on delete cascade,
    created_at timestamptz not null,
    primary key (partner_id, token_hash)
  )`,
  sql`create index item_public_tokens_item on item_public_tokens (item_id)`,
  sql`create table accounts (
    id text primary key,
    item_id text not null references items on delete cascade,
    plaid_account_id text not null,
    ordinal integer not null,
    name text not null,
    mask text,
    type text not null,
    subtype text,
    current_balance_cents bigint,
    available_balance_cents bigint,
    iso_currency_code text,
    as_of timestamptz not null,
    persistent_account_id text,
    closed_at timestamptz,
    duplicate_of text references accounts deferrable initially deferred check (duplicate_of <> id),
    unique (item_id, plaid_account_id)
  )`,
  sql`create index accounts_duplicates on accounts (duplicate_of) where duplicate_of is not null`,
  // Records of Plaid that cannot be stored. They are kept until a sound version arrives, and few of each item.
  sql`create table quarantined_records (
    item_id text not null references items on delete cascade,
    kind text not null check (kind in ('account', 'transaction', 'removal')),
    record_key text not null,
    fault text not null,
    record jsonb,
    seen_at timestamptz not null,
    primary key (item_id, kind, record_key)
  )`,
  // A row for each transaction that was ever returned: its current state, or a tombstone once it is removed. `position` is that of its latest change in
  // the end-user's feed, so the feed holds each transaction once.
  sql`create table transactions (
    id text primary key,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    user_id text not null,
    position bigint not null check (position > 0),
    removed boolean not null default false,
    latest_date date,
    item_id text references items,
    account_id text references accounts,
    amount_cents bigint,
    iso_currency_code text,
    date date,
    authorized_date date,
    pending boolean,
    name text,
    merchant_name text,
    category text,
    pending_transaction_id text,
    unique (partner_id, user_id, position),
    check (case when removed then num_nonnulls(account_id, amount_cents, date, pending, name, merchant_name, category) = 0
      else num_nonnulls(item_id, account_id, amount_cents, date, latest_date, pending, name) = 7 end)
  )`,
  sql`create index transactions_item on transactions (item_id)`,
  sql`create index transactions_account on transactions (account_id)`,
  sql`create index transactions_pending on transactions (pending_transaction_id) where pending_transaction_id is not null`,
  sql`create index transactions_date on transactions (partner_id, user_id, date) where not removed`,
  // The end of each feed. Writers lock the row, so changes become visible in the order of their positions and a reader that continues after a position
  // never misses one that commits late.
  sql`create table transaction_feeds (
    partner_id text not null references partners on delete cascade,
    user_id text not null,
    head bigint not null check (head >= 0),
    primary key (partner_id, user_id)
  )`,
  // The highest position of each feed that was ever returned, to callers of one environment or to those that see both.
  sql`create table transaction_feed_readers (
    partner_id text not null references partners on delete cascade,
    user_id text not null,
    view text not null check (view in ('test', 'live', 'all')),
    position bigint not null check (position >= 0),
    primary key (partner_id, user_id, view)
  )`
])
