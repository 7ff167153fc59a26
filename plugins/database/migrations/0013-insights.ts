import { sql } from 'kysely'
import { steps } from './steps.ts'

/** The time zones of end-users, and the forecasts that were served. */
export const insights = steps([
  sql`create table end_user_time_zones (
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    user_id text not null,
    time_zone text not null,
    primary key (partner_id, environment, user_id)
  )`,
  // The latest forecast per end-user, currency, horizon and day, as one view of the end-user's accounts got it. `view` is an environment, or 'all' for callers
  // that see both. The element n of an array is n days after `day`.
  sql`create table served_forecasts (
    id text primary key,
    partner_id text not null references partners on delete cascade,
    view text not null check (view in ('test', 'live', 'all')),
    user_id text not null,
    currency text not null,
    horizon_days integer not null check (horizon_days between 1 and 366),
    day date not null,
    served_at timestamptz not null,
    basis text not null,
    account_ids text[] not null,
    balance_cents bigint not null,
    mean_daily_flow_cents bigint not null,
    projected_cents bigint[] not null check (cardinality(projected_cents) = horizon_days),
    low_cents bigint[] not null check (cardinality(low_cents) = horizon_days),
    high_cents bigint[] not null check (cardinality(high_cents) = horizon_days),
    counted_ids text[] not null,
    constraint served_forecasts_subject unique (partner_id, view, user_id, day, currency, horizon_days)
  )`,
  sql`create index served_forecasts_age on served_forecasts (day)`
])
