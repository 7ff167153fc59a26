import { sql } from 'kysely'
import { steps } from './steps.ts'

/** Partners, users and their credentials; what every operation writes: activity, idempotency keys, events, notifications. */
export const core = steps([
  sql`create table partners (
    id text primary key,
    name text not null,
    production_enabled boolean not null default false,
    furnisher boolean not null default false,
    rate_overrides jsonb not null default '{}',
    created_at timestamptz not null
  )`,
  sql`create index partners_page on partners (created_at desc, id desc)`,
  sql`create table users (
    id text primary key,
    email text not null,
    email_key text not null unique,
    email_verified_at timestamptz,
    phone text check (phone ~ '^[+][1-9][0-9]{6,14}$'),
    name text not null,
    password_hash text not null,
    operator boolean not null default false,
    preferences jsonb not null default '{}',
    created_at timestamptz not null
  )`,
  sql`create table verification_codes (
    user_id text not null references users on delete cascade,
    kind text not null check (kind in ('email', 'phone')),
    target text not null,
    code_hash bytea not null,
    attempts smallint not null check (attempts between 0 and 5),
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    primary key (user_id, kind)
  )`,
  sql`create table memberships (
    user_id text not null references users on delete cascade,
    partner_id text not null references partners on delete cascade,
    role text not null check (role in ('owner', 'member')),
    primary key (user_id, partner_id)
  )`,
  sql`create index memberships_partner on memberships (partner_id)`,
  sql`create table sessions (
    id text primary key,
    user_id text not null references users on delete cascade,
    partner_id text not null references partners on delete cascade,
    ip text not null,
    user_agent text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
  )`,
  sql`create index sessions_user on sessions (user_id, created_at desc, id desc)`,
  sql`create table refresh_tokens (
    hash bytea primary key,
    session_id text not null references sessions on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    repeated_at timestamptz,
    check (repeated_at >= used_at)
  )`,
  sql`create index refresh_tokens_session on refresh_tokens (session_id)`,
  sql`create table credentials (
    id text primary key,
    hash bytea not null unique,
    kind text not null check (kind in ('partner_key', 'token', 'agent_key')),
    partner_id text references partners on delete cascade,
    user_id text references users on delete cascade,
    agent_id text,
    name text not null,
    environment text not null check (environment in ('test', 'live')),
    -- Null for all scopes.
    scopes text[],
    allowed_ips text[],
    hint text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    -- When a successor was minted.
    rotated_at timestamptz,
    revoked_at timestamptz,
    check (kind <> 'token' or scopes is not null),
    check (rotated_at is null or expires_at is not null),
    check ((kind = 'agent_key') = (agent_id is not null)),
    check (kind = 'agent_key' or partner_id is not null)
  )`,
  sql`create index credentials_partner on credentials (partner_id, kind, created_at desc, id desc)`,
  sql`create index credentials_user on credentials (user_id) where user_id is not null and revoked_at is null`,
  sql`create unique index credentials_one_key_an_agent on credentials (agent_id) where agent_id is not null and revoked_at is null`,
  sql`create table activity (
    id bigint generated always as identity primary key,
    partner_id text references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    at timestamptz not null,
    actor_type text not null,
    actor_id text not null,
    operation_id text not null,
    method text not null,
    route text not null,
    resource_id text,
    ip text not null,
    request_id text not null
  )`,
  // A list is read through one of these, whatever its filters.
  sql`create index activity_partner on activity (partner_id, environment, at desc, id desc)`,
  sql`create index activity_actor on activity (partner_id, environment, actor_id, at desc, id desc)`,
  sql`create index activity_operation on activity (partner_id, environment, operation_id, at desc, id desc)`,
  sql`create table idempotency_keys (
    tenant text not null,
    environment text not null check (environment in ('test', 'live')),
    key text not null,
    operation_id text not null,
    target_hash bytea not null,
    body_hash bytea not null,
    status smallint not null check (status between 200 and 299),
    answer bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant, key)
  )`,
  sql`create index idempotency_keys_expiry on idempotency_keys (expires_at)`,
  sql`create table events (
    id text primary key,
    position bigint generated always as identity unique,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    type text not null,
    data jsonb not null,
    created_at timestamptz not null,
    sequence bigint,
    published_at timestamptz,
    unique (partner_id, environment, sequence)
  )`,
  sql`create index events_unpublished on events (partner_id, position) where published_at is null`,
  sql`create index events_type on events (partner_id, environment, type, sequence) where sequence is not null`,
  sql`create index events_age on events (created_at)`,
  sql`create table check_results (
    name text primary key,
    status text not null check (status in ('ok', 'failed')),
    detail text not null,
    at timestamptz not null
  )`,
  sql`create table notifications (
    id text primary key,
    position bigint generated always as identity unique,
    user_id text not null references users on delete cascade,
    type text not null,
    message text not null,
    sms_text text,
    data jsonb not null,
    created_at timestamptz not null,
    sms_status text not null check (sms_status in ('none', 'pending', 'sent', 'failed')),
    sms_attempts smallint not null default 0,
    sms_next_at timestamptz,
    check ((sms_status = 'pending') = (sms_next_at is not null)),
    check (sms_status = 'none' or sms_text is not null)
  )`,
  sql`create table message_counts (
    recipient text not null,
    day date not null,
    count integer not null check (count > 0),
    primary key (day, recipient)
  )`,
  sql`create index notifications_user on notifications (user_id, position desc)`,
  sql`create index notifications_unsent on notifications (sms_next_at) where sms_status = 'pending'`
])
