import { sql, type Kysely } from 'kysely'

const statements = [
  // A user asks again and again for the few that wait, of agents that have had many.
  sql`create index approvals_status on approvals (agent_id, status, id desc)`,
  sql`drop index approvals_agent`,
  // As it was, since the version before finds an account that it knows already by it.
  sql`drop index plaid_sim_items_migrated`,
  sql`create unique index plaid_sim_items_migrated on plaid_sim_items (migrated_fingerprint) where removed_at is null`
]

/** Approvals by their status, and an index that instances of the version before still need. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
