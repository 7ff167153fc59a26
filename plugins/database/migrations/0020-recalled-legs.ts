import { sql, type Kysely } from 'kysely'

/** Finds payments that can still be called off among all that ever went out. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index transfer_legs_recallable on transfer_legs (retry_at, id) where status in ('wanted', 'pending') and kind <> 'debit'`.execute(
    db
  )
}
