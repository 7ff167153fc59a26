import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { createPostgresDatabase } from '../../build-app.ts'
import { until } from '../../machines/waiting.ts'
import { openWorld } from './world.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip =
  serverUrl === '' ? 'requires a PostgreSQL server: an embedded database has no connections to abandon' : false

/** Two pools on one database: that of a server with a statement timeout of half a second, and one for a transaction that holds the agent's lock. */
const open = async () => {
  const own = await createPostgresDatabase(serverUrl)
  const database = withState(openPostgres(own.url, 4, () => undefined, { statementLimitMs: 500 }))
  const elsewhere = openPostgres(own.url, 4, () => undefined)
  t.teardown(async () => {
    await elsewhere.close()
    await database.close()
    await own.drop()
  })
  const world = await openWorld(t, { database })
  const whileHeld = async (agentId: string, work: (waiting: () => Promise<number>) => Promise<void>): Promise<void> =>
    await elsewhere.db.transaction().execute(async (trx) => {
      await trx.selectFrom('agents').select('agent_id').where('agent_id', '=', agentId).forNoKeyUpdate().execute()
      await work(async () => {
        const { rows } =
          await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
            // Outside the transaction, in which PostgreSQL would go on showing the sessions of the first look.
            elsewhere.db
          )
        return rows.length
      })
    })
  return { world, whileHeld, faults: async () => (await verifyLedger(elsewhere.db)).faults }
}

test('a spend that timed out with 503', { skip }, async (t) => {
  const { world, whileHeld, faults } = await open()

  await t.test('is done once under its key, however often the client retries', async () => {
    const key = await world.fund('keyed', 100)
    const spend = () => world.as(key, 'POST', '/api/spend', { amount: 7 }, { 'idempotency-key': 'keyed' })
    await world.as(key, 'POST', '/api/spend', { amount: 1 })
    await whileHeld('keyed', async () => {
      assert.equal((await spend()).status, 503)
      // While the first statement still waits in the database, its connection holds the key's lock.
      for (let retry = 0; retry < 3; retry++)
        assert.ok(['idempotency_in_flight', 'unavailable'].includes((await spend()).body.error))
    })
    await until('the spend is done', async () => (await spend()).status === 200)
    const [again, once] = [await spend(), await spend()]
    assert.deepEqual(
      [again.headers.get('idempotent-replayed'), again.body.balance, once.text],
      ['true', 92, again.text]
    )
    assert.equal(await world.balance('keyed'), 92)
    assert.deepEqual(await faults(), [])
  })

  await t.test('stops waiting in the database, holds no connection, and is not done later', async () => {
    const key = await world.fund('unkeyed', 100)
    await world.as(key, 'POST', '/api/spend', { amount: 1 })
    await whileHeld('unkeyed', async (waiting) => {
      for (let round = 0; round < 3; round++)
        assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 7 })).status, 503)
      await until('no statement waits for the agent', async () => (await waiting()) === 0, 20_000)
    })
    assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 2 })).status, 200)
    assert.equal(await world.balance('unkeyed'), 97)
  })
})
