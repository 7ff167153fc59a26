import { sql } from 'kysely'
import { steps } from './steps.ts'

/** The current safe-to-spend of each end-user. Values that follow from these amounts are not stored. */
export const calculations = steps([
  sql`create table safe_to_spend (
    partner_id text not null references partners on delete cascade,
    environment text not null check (environment in ('test', 'live')),
    end_user_id text not null,
    calculation_id text not null,
    calculated_at timestamptz not null,
    days_in_period integer not null check (days_in_period between 1 and 366),
    cash_after_buffer_cents bigint not null,
    bills_cents bigint not null check (bills_cents >= 0),
    savings_cents bigint not null check (savings_cents >= 0),
    debt_cents bigint not null check (debt_cents >= 0),
    daily_allowance_cents bigint not null check (daily_allowance_cents >= 0),
    primary key (partner_id, environment, end_user_id)
  )`
])
