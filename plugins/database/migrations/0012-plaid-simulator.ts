import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/**
 * The state of the built-in Plaid simulator. Nothing of the product refers to these tables: what is in
 * them would live at Plaid. Ordinary transactions have no rows, they are computed from the item's seed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createLinking(db)
  await createTransfers(db)
  await createWebhookKeys(db)
}

async function createLinking(db: Kysely<unknown>): Promise<void> {
  // Access tokens are kept readable, as only Plaid itself would: they open nothing but invented accounts,
  // and the same public token must be exchanged for the same access token again.
  await sql`create table plaid_sim_items (
    item_id text primary key,
    access_token text not null unique,
    institution_id text,
    client_user_id text,
    webhook text,
    products jsonb not null,
    days_requested integer check (days_requested between 1 and 730),
    created_at timestamptz not null,
    exchanged_at timestamptz,
    login_required_at timestamptz,
    removed_at timestamptz,
    batch_count integer not null default 0 check (batch_count >= 0),
    last_webhook_code text,
    last_webhook_at timestamptz,
    migrated_fingerprint text,
    migrated_mask text,
    migrated_subtype text check (migrated_subtype in ('checking', 'savings')),
    check ((migrated_fingerprint is null) = (migrated_mask is null)),
    check ((migrated_fingerprint is null) = (migrated_subtype is null))
  )`.execute(db)
  await sql`create unique index plaid_sim_items_migrated on plaid_sim_items (migrated_fingerprint)
    where removed_at is null`.execute(db)
  await sql`create table plaid_sim_public_tokens (
    public_token text primary key,
    item_id text not null references plaid_sim_items,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`.execute(db)
  await sql`create table plaid_sim_link_tokens (
    link_token text primary key,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    update_item_id text references plaid_sim_items,
    request jsonb not null
  )`.execute(db)
  await sql`create table plaid_sim_batches (
    item_id text not null references plaid_sim_items,
    ordinal integer not null check (ordinal > 0),
    fired_at timestamptz not null,
    primary key (item_id, ordinal)
  )`.execute(db)
}

async function createTransfers(db: Kysely<unknown>): Promise<void> {
  await sql`create table plaid_sim_authorizations (
    authorization_id text primary key,
    idempotency_key text,
    item_id text not null references plaid_sim_items,
    account_id text not null,
    type text not null check (type in ('debit', 'credit')),
    network text not null check (network in ('ach', 'same-day-ach', 'rtp', 'wire')),
    ach_class text check (ach_class in ('ccd', 'ppd', 'tel', 'web')),
    amount_cents bigint not null check (amount_cents > 0),
    legal_user jsonb not null,
    decision text not null check (decision in ('approved', 'declined', 'user_action_required')),
    rationale_code text,
    created_at timestamptz not null
  )`.execute(db)
  await sql`create index plaid_sim_authorizations_key on plaid_sim_authorizations (idempotency_key, created_at)
    where idempotency_key is not null`.execute(db)
  await sql`create table plaid_sim_transfers (
    transfer_id text primary key,
    authorization_id text not null unique references plaid_sim_authorizations,
    amount_cents bigint not null check (amount_cents > 0),
    description text not null check (length(description) between 1 and 15),
    metadata jsonb,
    status text not null check (status in ('pending', 'posted', 'settled', 'funds_available', 'cancelled', 'failed', 'returned')),
    failure jsonb,
    created_at timestamptz not null,
    next_due_at timestamptz
  )`.execute(db)
  await sql`create index plaid_sim_transfers_due on plaid_sim_transfers (next_due_at) where next_due_at is not null`.execute(
    db
  )
  await sql`create table plaid_sim_transfer_events (
    event_id bigint primary key check (event_id > 0),
    transfer_id text not null references plaid_sim_transfers,
    event_type text not null,
    failure jsonb,
    created_at timestamptz not null,
    unique (transfer_id, event_type)
  )`.execute(db)
  // One counter row instead of a sequence: its lock makes events visible in the order of their ids, so
  // that a reader who asks for what comes after an id can never miss one that commits late.
  await sql`create table plaid_sim_counters (name text primary key, value bigint not null)`.execute(db)
  await sql`insert into plaid_sim_counters (name, value) values ('transfer_event', 0)`.execute(db)
}

async function createWebhookKeys(db: Kysely<unknown>): Promise<void> {
  await sql`create table plaid_sim_webhook_keys (
    key_id text primary key,
    private_jwk jsonb not null,
    created_at timestamptz not null,
    expired_at timestamptz
  )`.execute(db)
  // At most one key signs at a time, whichever instance made it.
  await sql`create unique index plaid_sim_webhook_keys_active on plaid_sim_webhook_keys ((expired_at is null))
    where expired_at is null`.execute(db)
}
