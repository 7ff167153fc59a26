import { sql, type Kysely } from 'kysely'

/** While an item's access is being ended at Plaid, nothing new may begin with it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table items add column removal_began_at timestamptz`.execute(db)
}
