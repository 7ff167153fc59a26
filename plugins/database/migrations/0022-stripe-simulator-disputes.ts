import { sql, type Kysely } from 'kysely'

/** The simulator's disputes can be decided. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table stripe_sim_disputes add column status text not null default 'needs_response' check (status in ('needs_response', 'won', 'lost'))`.execute(
    db
  )
}
