import { sql } from 'kysely'
import { steps } from './steps.ts'

/** The credit bureau: enrolled agents with the counters of their scores, credit accounts, and the history that both follow from. */
export const bureau = steps([
  sql`create table bureau_agents (
    agent_id text primary key,
    name text not null,
    owner_email text,
    platform text,
    enrolled_at timestamptz not null,
    on_time bigint not null default 0 check (on_time >= 0),
    late bigint not null default 0 check (late >= 0),
    missed bigint not null default 0 check (missed >= 0),
    disputes bigint not null default 0 check (disputes >= 0),
    open_accounts bigint not null default 0 check (open_accounts >= 0),
    open_limits_cents bigint not null default 0 check (open_limits_cents >= 0),
    debt_closed_cents bigint not null default 0 check (debt_closed_cents >= 0)
  )`,
  sql`create table bureau_accounts (
    id bigint generated always as identity primary key,
    agent_id text not null references bureau_agents,
    partner_id text not null references partners,
    platform text not null,
    account_type text not null,
    credit_limit_cents bigint check (credit_limit_cents >= 0),
    opened_at timestamptz not null,
    closed_at timestamptz check (closed_at >= opened_at),
    -- The furnisher came to own the agent, so the account does not count.
    is_excluded boolean not null default false
  )`,
  sql`create index bureau_accounts_open on bureau_accounts (agent_id, id desc) where closed_at is null`,
  sql`create table bureau_events (
    id bigint generated always as identity primary key,
    agent_id text not null references bureau_agents,
    kind text not null check (kind in ('payment_ontime', 'payment_late', 'payment_missed', 'debt_opened', 'debt_closed', 'account_opened',
      'account_closed', 'dispute', 'credit_account_open', 'credit_account_close')),
    amount_cents bigint check (amount_cents >= 0),
    account_id bigint references bureau_accounts,
    partner_id text references partners,
    reporter_name text not null,
    reporter_platform text not null,
    notes text,
    created_at timestamptz not null,
    state text not null default 'counted' check (state in ('counted', 'disputed', 'confirmed', 'dropped', 'own_agent')),
    disputed_at timestamptz,
    dispute_reason text,
    check ((account_id is not null) = (kind in ('credit_account_open', 'credit_account_close'))),
    check ((disputed_at is null) = (dispute_reason is null)),
    check (state <> 'counted' or disputed_at is null),
    check (state not in ('disputed', 'confirmed', 'dropped') or disputed_at is not null),
    -- The owner cannot dispute credit accounts, nor what this server reports of its own loans.
    check (disputed_at is null or (account_id is null and partner_id is not null)),
    check (state <> 'own_agent' or partner_id is not null)
  )`,
  sql`create index bureau_events_agent on bureau_events (agent_id, id desc)`,
  sql`create index bureau_events_disputed on bureau_events (disputed_at) where state = 'disputed'`,
  sql`create index bureau_events_disputed_of_agent on bureau_events (agent_id) where state = 'disputed'`,
  sql`create unique index bureau_events_account on bureau_events (account_id, kind) where account_id is not null`
])
