import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { openPostgres } from '../../../plugins/database/index.ts'
import { createPostgresDatabase } from '../../build-app.ts'

const server = process.env.TEST_DATABASE_URL
const skip = server === undefined && 'requires a PostgreSQL server, which counts its plans'

test('a connection plans each statement once, and not again for other values', { skip }, async (t) => {
  const made = await createPostgresDatabase(server ?? '')
  // One of two connections is shared by all single statements.
  const { db, close } = openPostgres(made.url, 2, assert.ifError)
  t.teardown(async () => {
    await close()
    await made.drop()
  })
  for (let i = 0; i < 7; i++)
    await db
      .selectFrom('activity')
      .select('id')
      .where('partner_id', '=', `p${i}`)
      .orderBy('id')
      .limit(i + 1)
      .execute()
  const { rows } =
    await sql`select generic_plans::int, custom_plans::int from pg_prepared_statements where statement like '%"activity"%'`.execute(
      db
    )
  assert.deepEqual(rows, [{ generic_plans: 7, custom_plans: 0 }])
})
