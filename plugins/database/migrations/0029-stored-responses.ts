import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table idempotency_keys drop column ledger_transaction_id`.execute(db)
  await sql`alter table idempotency_keys alter column answer set not null`.execute(db)
  await sql`drop function agent_spend_together(jsonb)`.execute(db)
}
