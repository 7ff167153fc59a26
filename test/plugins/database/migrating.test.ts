import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { test } from 'tap'
import { openPostgres } from '../../../plugins/database/index.ts'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { createPostgresDatabase } from '../../build-app.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip = serverUrl === '' ? 'needs a PostgreSQL server: an embedded database has one process' : false

test(
  'a second instance migrates while the first one, which has migrated, goes on',
  { skip, timeout: 60_000 },
  async (t) => {
    const { url, drop } = await createPostgresDatabase(serverUrl)
    const [first, second] = [openPostgres(url, 4, () => undefined), openPostgres(url, 4, () => undefined)]
    t.teardown(async () => {
      await Promise.allSettled([first.close(), second.close()])
      await drop()
    })
    assert.deepEqual(await migrateToLatest(first.db), [])
    assert.deepEqual(await migrateToLatest(second.db), [])
  }
)

/** As if the last migrations had not run, of which the first makes an index on approvals and then drops one of the simulator's. */
const forget = async (db: Db, undo = true): Promise<void> => {
  await sql`delete from migrations where name >= '0027'`.execute(db)
  if (!undo) return
  await sql`create index approvals_agent on approvals (agent_id, id desc)`.execute(db)
  await sql`drop index approvals_status`.execute(db)
}

test('a migration that fails tells of its own error, and leaves nothing', { skip }, async (t) => {
  const { url, drop } = await createPostgresDatabase(serverUrl)
  const database = openPostgres(url, 2, () => undefined)
  t.teardown(async () => {
    await database.close()
    await drop()
  })
  await forget(database.db, false)
  await assert.rejects(migrateToLatest(database.db), /"approvals_status" already exists/)
  const { rows } = await sql`select from migrations where name >= '0027'`.execute(database.db)
  assert.equal(rows.length, 0)
})

test(
  'a migration that loses a deadlock against requests of the version before is run again',
  { skip, timeout: 60_000 },
  async (t) => {
    const { url, drop } = await createPostgresDatabase(serverUrl)
    const database = openPostgres(`${url}?options=-c%20deadlock_timeout=50ms`, 4, () => undefined)
    t.teardown(async () => {
      await database.close()
      await drop()
    })
    await forget(database.db)
    const migrated = await database.db.transaction().execute(async (trx) => {
      await sql`set local deadlock_timeout = '1min'`.execute(trx)
      await sql`lock table plaid_sim_items in row exclusive mode`.execute(trx)
      const migrating = migrateToLatest(database.db)
      const isWaiting = async () =>
        (await sql`select from pg_locks where relation = 'plaid_sim_items'::regclass and not granted`.execute(trx)).rows
          .length > 0
      while (!(await isWaiting())) await delay(5)
      await sql`lock table approvals in row exclusive mode`.execute(trx)
      return { migrating }
    })
    assert.deepEqual(await migrated.migrating, ['0027-approvals-by-status', '0028-publishing-by-partner'])
  }
)
