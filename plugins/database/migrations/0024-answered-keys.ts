import { sql, type Kysely } from 'kysely'

/** An answer is stored by the same message that commits; whoever comes second with a key is stopped by the database, since nobody is there to look. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function idempotency_key_is_answered() returns timestamptz language plpgsql as $$
    begin
      raise exception 'This idempotency key has an answer already.' using errcode = 'IK001';
    end $$`.execute(db)
}
