import { sql } from 'kysely'
import { steps } from './steps.ts'

/** Loans to agents and their repayment. */
export const loans = steps([
  sql`create table loans (
    id bigint generated always as identity primary key,
    agent_id text not null references bureau_agents,
    owner_user_id text references users,
    without_owner boolean not null,
    amount_cents bigint not null check (amount_cents > 0),
    amount_repaid_cents bigint not null default 0 check (amount_repaid_cents between 0 and amount_cents),
    status text not null default 'active' check (status in ('active', 'repaid', 'defaulted')),
    purpose text,
    requested_cents bigint not null check (requested_cents >= amount_cents),
    limit_cents bigint not null check (limit_cents >= amount_cents),
    score smallint not null check (score between 550 and 850),
    requested_at timestamptz not null,
    due_at timestamptz not null check (due_at > requested_at),
    late_at timestamptz check (late_at > due_at),
    defaulted_at timestamptz check (defaulted_at >= late_at),
    repaid_at timestamptz check (repaid_at >= requested_at),
    on_time_at timestamptz check (on_time_at = repaid_at),
    check ((status = 'repaid') = (amount_repaid_cents = amount_cents)),
    check ((status = 'repaid') = (repaid_at is not null)),
    check (on_time_at is null or late_at is null),
    check (without_owner or owner_user_id is not null),
    check (defaulted_at is null or late_at is not null),
    check (status <> 'defaulted' or defaulted_at is not null),
    check (status <> 'active' or defaulted_at is null)
  )`,
  // One outstanding loan for each agent, also when requests arrive at the same time.
  sql`create unique index loans_one_outstanding on loans (agent_id) where status <> 'repaid'`,
  // The sums that the lending limits bound are read from this index alone.
  sql`create index loans_unpaid on loans (owner_user_id, without_owner) include (amount_cents, amount_repaid_cents) where status <> 'repaid'`,
  sql`create index loans_on_time on loans (agent_id, on_time_at desc) where on_time_at is not null`,
  sql`create index loans_agent on loans (agent_id, id desc)`,
  sql`create index loans_due on loans (due_at) where status = 'active'`
])
