import { sql, type Kysely } from 'kysely'

const statements = [
  // Tables in the order in which payments lock them. Where there was no index:
  sql`create index plaid_transfer_events_age on plaid_transfer_events (received_at)`,
  sql`create index transfers_request_age on transfers (created_at) where request_key is not null`,
  // A partial index whose condition a lookup by another column shares is small while its table is, and was read from end to end instead of looking anything up.
  sql`create index transfer_holds_account on transfer_holds (account_id, released_at)`,
  sql`drop index transfer_holds_active`,
  sql`create index transfer_legs_under_way on transfer_legs (id) where status in ('wanted', 'pending') and kind <> 'debit'`,
  sql`create index partners_page on partners (created_at desc, id desc)`,
  sql`drop index plaid_sim_items_migrated`,
  sql`create unique index plaid_sim_items_migrated on plaid_sim_items (migrated_fingerprint) where migrated_fingerprint is not null and removed_at is null`,
  // The last, since from here to the commit nobody can be identified.
  sql`drop index credentials_one_key_an_agent`,
  sql`create unique index credentials_one_key_an_agent on credentials (agent_id) where agent_id is not null and revoked_at is null`
]

/** Indexes for which PostgreSQL plans a lookup, whatever it knows of the table's size. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
