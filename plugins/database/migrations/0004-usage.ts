import { sql, type Kysely } from 'kysely'

const statements = [
  sql`create table usage_events (
    id bigint generated always as identity primary key,
    partner_id text not null references partners on delete cascade,
    event_type text not null check (event_type in ('user_signup', 'account_link', 'transaction')),
    user_id text,
    amount_cents bigint,
    category text,
    institution text,
    occurred_at timestamptz not null,
    event_id text,
    received_at timestamptz not null,
    unique (partner_id, event_id)
  )`
]

/** What partners' end-users did, as the partners and this server tell it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
