import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { createPostgresDatabase } from '../../build-app.ts'
import { until } from '../../machines/waiting.ts'
import { openWorld } from './world.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip = serverUrl === '' ? 'needs a PostgreSQL server: an embedded database has no connection that could be given up' : false

test('a keyed spend that was given up on with 503 and is done all the same is done once, however often it is tried again', { skip }, async () => {
  const own = await createPostgresDatabase(serverUrl)
  const database = withState(openPostgres(own.url, 4, () => undefined, { statementLimitMs: 500 }))
  const elsewhere = openPostgres(own.url, 4, () => undefined)
  after(async () => {
    await elsewhere.close()
    await database.close()
    await own.drop()
  })
  const world = await openWorld({ after }, { database })
  const key = await world.fund('given-up', 100)
  const spend = () => world.as(key, 'POST', '/api/spend', { amount: 7 }, { 'idempotency-key': 'given-up' })
  await world.as(key, 'POST', '/api/spend', { amount: 1 })
  await elsewhere.db.transaction().execute(async (trx) => {
    await trx.selectFrom('agents').select('agent_id').where('agent_id', '=', 'given-up').forNoKeyUpdate().execute()
    assert.equal((await spend()).status, 503)
    // The database does not know that its client is gone, and goes on waiting for the agent, with the key's lock in hand.
    for (let retry = 0; retry < 2; retry++) assert.equal((await spend()).body.error, 'idempotency_in_flight')
  })
  await until('the statement that was given up is done', async () => (await world.balance('given-up')) === 92)
  const [again, once] = [await spend(), await spend()]
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed'), again.body.balance], [200, 'true', 92])
  assert.equal(once.text, again.text)
  assert.equal(await world.balance('given-up'), 92)
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from activity where actor_id = 'given-up'`.execute(elsewhere.db)
  assert.equal(rows[0]?.n, 2)
  assert.deepEqual((await verifyLedger(elsewhere.db)).faults, [])
})
