import { sql } from 'kysely'
import { steps } from './steps.ts'

const perInterval = sql`partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    unit text not null check (unit in ('day', 'hour')),
    start timestamptz not null`

/** Usage events of partners' end-users, and their sums by day and hour. */
export const usage = steps([
  sql`create table usage_events (
    id bigint generated always as identity primary key,
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    event_type text not null check (event_type in ('user_signup', 'account_link', 'transaction', 'correction')),
    user_id text,
    amount_cents bigint,
    category text,
    institution text,
    occurred_at timestamptz not null,
    event_id text,
    received_at timestamptz not null,
    corrects text,
    transactions smallint not null default 0 check (transactions between -1 and 1),
    check (event_type in ('transaction', 'correction') or (amount_cents is null and category is null)),
    check (event_type = 'correction' or amount_cents >= 0),
    check ((event_type = 'correction') = (corrects is not null)),
    check (event_type = 'correction' or transactions = (event_type = 'transaction')::integer),
    check (event_type <> 'correction' or event_id is null),
    check (event_type = 'account_link' or institution is null)
  )`,
  // Events without an id cannot be deduplicated, so they are not in the index.
  sql`create unique index usage_events_once on usage_events (partner_id, environment, event_id) where event_id is not null`,
  // A correction adds its transactions (-1, 0 or 1) and its amount, which may be negative, to the sums of the event with the id in its column corrects.
  sql`create index usage_events_corrections on usage_events (partner_id, environment, corrects) where corrects is not null`,

  // The sums of each UTC day and hour, updated by the statement that stores the events, so that a dashboard never reads the events.
  sql`create table usage_intervals (
    ${perInterval},
    user_signups bigint not null check (user_signups >= 0),
    account_links bigint not null check (account_links >= 0),
    transactions bigint not null check (transactions >= 0),
    volume_cents bigint not null check (volume_cents >= 0),
    active_users bigint not null check (active_users >= 0),
    primary key (partner_id, environment, unit, start)
  )`,
  // The users active in each interval: counts of several intervals cannot be added up, because they share users.
  sql`create table usage_users (
    ${perInterval},
    user_id text not null,
    primary key (partner_id, environment, unit, start, user_id)
  )`,
  // The empty string stands for events without a category; a key cannot hold null.
  sql`create table usage_categories (
    ${perInterval},
    category text not null,
    transactions bigint not null check (transactions >= 0),
    volume_cents bigint not null check (volume_cents >= 0),
    primary key (partner_id, environment, unit, start, category)
  )`,
  sql`create table usage_institutions (
    ${perInterval},
    institution text not null,
    account_links bigint not null check (account_links >= 0),
    primary key (partner_id, environment, unit, start, institution)
  )`
])
