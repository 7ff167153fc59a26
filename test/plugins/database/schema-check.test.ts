import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import { withState } from '../../../plugins/database/index.ts'
import { openTestDatabase, startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'

test('a production server refuses everything but liveness until its schema is current', async (t) => {
  const database = await openTestDatabase(t)
  const { testKey } = await createPartner(database)
  await sql`create table kept as select * from migrations_functions`.execute(database.db)
  await sql`delete from migrations_functions`.execute(database.db)
  let log = ''
  const { url } = await startApp(t, {
    // The first handle of the database may have cached that it was migrated.
    database: withState(database),
    env: {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://127.0.0.1/elsewhere',
      ATLAS_JWT_SECRET: 'x'.repeat(32),
      LOG_LEVEL: 'error'
    },
    logStream: { write: (line) => void (log += line) }
  })
  for (const path of ['/api/v1/health', '/api/v1/health/ready', '/v1/projects', '/mcp', '/unknown']) {
    const { status, body } = await send(url, 'GET', path, { key: testKey })
    assert.deepEqual([status, body.error], [503, 'schema_outdated'], path)
    assert.match(body.detail, /npm run migrate/)
  }
  assert.equal((await send(url, 'GET', '/api/v1/health/live')).status, 200)
  assert.match(log, /the database schema is outdated; run `npm run migrate`/)
  await sql`insert into migrations_functions select * from kept`.execute(database.db)
  await migrateToLatest(database.db)
  while ((await send(url, 'GET', '/v1/projects', { key: testKey })).status !== 200)
    await new Promise((done) => setTimeout(done, 100))
})
