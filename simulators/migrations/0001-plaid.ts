import { sql, type Kysely } from 'kysely'

const createItems = async (db: Kysely<unknown>): Promise<void> => {
  // Access tokens are stored unencrypted: they open invented accounts only, and exchanging a public token again
  // must return the same access token.
  await sql`create table simulators.plaid_items (
    item_id text primary key,
    access_token text not null unique,
    institution_id text,
    client_user_id text,
    webhook text,
    products jsonb not null,
    days_requested integer check (days_requested between 1 and 730),
    username text,
    created_at timestamptz not null,
    exchanged_at timestamptz,
    login_required_at timestamptz,
    removed_at timestamptz,
    shares_all_at timestamptz,
    revoked_key text,
    batch_count integer not null default 0 check (batch_count >= 0),
    last_webhook_code text,
    last_webhook_at timestamptz,
    migrated_fingerprint text,
    migrated_mask text,
    migrated_subtype text check (migrated_subtype in ('checking', 'savings')),
    check ((migrated_fingerprint is null) = (migrated_mask is null)),
    check ((migrated_fingerprint is null) = (migrated_subtype is null))
  )`.execute(db)
  await sql`create unique index plaid_items_migrated on simulators.plaid_items (migrated_fingerprint)
    where migrated_fingerprint is not null and removed_at is null`.execute(db)
  await sql`create table simulators.plaid_public_tokens (
    public_token text primary key,
    item_id text not null references simulators.plaid_items,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`.execute(db)
  await sql`create table simulators.plaid_link_tokens (
    link_token text primary key,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    update_item_id text references simulators.plaid_items,
    request jsonb not null
  )`.execute(db)
  await sql`create table simulators.plaid_batches (
    item_id text not null references simulators.plaid_items,
    ordinal integer not null check (ordinal > 0),
    fired_at timestamptz not null,
    primary key (item_id, ordinal)
  )`.execute(db)
}

const createTransfers = async (db: Kysely<unknown>): Promise<void> => {
  await sql`create table simulators.plaid_authorizations (
    authorization_id text primary key,
    idempotency_key text,
    item_id text not null references simulators.plaid_items,
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
  await sql`create index plaid_authorizations_key on simulators.plaid_authorizations (idempotency_key, created_at)
    where idempotency_key is not null`.execute(db)
  await sql`create table simulators.plaid_transfers (
    transfer_id text primary key,
    authorization_id text not null unique references simulators.plaid_authorizations,
    amount_cents bigint not null check (amount_cents > 0),
    description text not null check (length(description) between 1 and 15),
    metadata jsonb,
    status text not null check (
      status in ('pending', 'posted', 'settled', 'funds_available', 'cancelled', 'failed', 'returned')
    ),
    failure jsonb,
    created_at timestamptz not null,
    next_due_at timestamptz
  )`.execute(db)
  await sql`create index plaid_transfers_due on simulators.plaid_transfers (next_due_at)
    where next_due_at is not null`.execute(db)
  await sql`create table simulators.plaid_transfer_events (
    event_id bigint primary key check (event_id > 0),
    transfer_id text not null references simulators.plaid_transfers,
    event_type text not null,
    failure jsonb,
    created_at timestamptz not null,
    unique (transfer_id, event_type)
  )`.execute(db)
  // A counter row instead of a sequence: its lock makes events visible in the order of their ids, so that a reader
  // that pages by id cannot miss an event that commits late.
  await sql`create table simulators.plaid_counters (name text primary key, value bigint not null)`.execute(db)
  await sql`insert into simulators.plaid_counters (name, value) values ('transfer_event', 0)`.execute(db)
}

const createWebhookKeys = async (db: Kysely<unknown>): Promise<void> => {
  await sql`create table simulators.plaid_webhook_keys (
    key_id text primary key,
    private_jwk jsonb not null,
    created_at timestamptz not null,
    expired_at timestamptz
  )`.execute(db)
  // At most one signing key is active, whichever instance created it.
  await sql`create unique index plaid_webhook_keys_active on simulators.plaid_webhook_keys ((expired_at is null))
    where expired_at is null`.execute(db)
}

/** The Plaid simulator's state. Ordinary transactions have no rows: they are computed from the item's seed. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await createItems(db)
  await createTransfers(db)
  await createWebhookKeys(db)
}
