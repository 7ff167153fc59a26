import { sql } from 'kysely'
import { steps } from './steps.ts'

/**
 * Webhook endpoints, their deliveries, and each attempt. An endpoint receives the events of its environment. The deliveries are their own queue: the holder of an endpoint's lease sends its deliveries in order.
 * A delivery without a sequence waits until its event is published.
 */
export const webhooks = steps([
  sql`create table webhooks (
    id text primary key,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    url text not null,
    events text[] not null check (cardinality(events) > 0),
    description text,
    status text not null check (status in ('enabled', 'disabled')),
    disabled_reason text check (disabled_reason in ('requested', 'gone', 'failing')),
    version integer not null default 1,
    secret bytea not null,
    old_secrets bytea[] not null default '{}' check (cardinality(old_secrets) <= 5),
    old_secrets_expire_at timestamptz[] not null default '{}',
    subscribed_after jsonb not null,
    failing_since timestamptz,
    responsive boolean not null default true,
    lease text,
    leased_until timestamptz,
    created_at timestamptz not null,
    check ((status = 'disabled') = (disabled_reason is not null)),
    check (cardinality(old_secrets) = cardinality(old_secrets_expire_at)),
    check (subscribed_after ?& events)
  )`,
  sql`create index webhooks_partner on webhooks (partner_id, created_at desc, id desc)`,
  sql`create table event_sequences (
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    last bigint not null check (last > 0),
    primary key (partner_id, environment)
  )`,
  sql`create table webhook_deliveries (
    id text primary key,
    webhook_id text not null references webhooks on delete cascade,
    event_id text not null references events on delete cascade,
    sequence bigint,
    status text not null check (status in ('pending', 'succeeded', 'failed')),
    replays integer not null default 0,
    tries integer not null default 0,
    first_tried_at timestamptz,
    next_attempt_at timestamptz,
    settled_at timestamptz,
    created_at timestamptz not null,
    unique (webhook_id, event_id),
    check ((status = 'pending') = (next_attempt_at is not null)),
    check ((status = 'pending') = (settled_at is null)),
    check ((tries = 0) = (first_tried_at is null))
  )`,
  sql`create index webhook_deliveries_list on webhook_deliveries (webhook_id, created_at desc, id desc)`,
  sql`create index webhook_deliveries_status on webhook_deliveries (webhook_id, status, created_at desc, id desc)`,
  sql`create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at) where status = 'pending' and sequence is not null`,
  sql`create index webhook_deliveries_untried on webhook_deliveries (webhook_id, sequence) where status = 'pending' and tries = 0`,
  sql`create index webhook_deliveries_failed on webhook_deliveries (webhook_id, settled_at) where status = 'failed'`,
  sql`create index webhook_deliveries_event on webhook_deliveries (event_id)`,
  sql`create table webhook_attempts (
    id bigint generated always as identity primary key,
    delivery_id text not null references webhook_deliveries on delete cascade,
    at timestamptz not null,
    status integer,
    latency_ms integer not null check (latency_ms >= 0),
    response_body text,
    error text,
    check (status is not null or error is not null)
  )`,
  sql`create index webhook_attempts_delivery on webhook_attempts (delivery_id, id)`
])
