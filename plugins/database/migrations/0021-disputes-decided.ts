import { sql, type Kysely } from 'kysely'

/** Disputes come to an end: what one that is won took back is given back, whichever of its events comes first. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table stripe_reversals add column reinstated boolean not null default false`.execute(db)
  await sql`alter table stripe_reversals add check (kind = 'dispute' or not reinstated)`.execute(db)
}
