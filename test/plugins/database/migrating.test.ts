import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPostgres } from '../../../plugins/database/index.ts'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import { createPostgresDatabase } from '../../build-app.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip = serverUrl === '' ? 'needs a PostgreSQL server: an embedded database has one process' : false

test('a second instance migrates while the first one, which has migrated, goes on', { skip, timeout: 60_000 }, async (t) => {
  const { url, drop } = await createPostgresDatabase(serverUrl)
  const [first, second] = [openPostgres(url, 4, () => undefined), openPostgres(url, 4, () => undefined)]
  t.after(async () => {
    await Promise.allSettled([first.close(), second.close()])
    await drop()
  })
  assert.deepEqual(await migrateToLatest(first.db), [])
  assert.deepEqual(await migrateToLatest(second.db), [])
})
