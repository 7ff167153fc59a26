import assert from 'node:assert/strict'
import pg from 'pg'
import { t, test } from 'tap'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { createPostgresDatabase, startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { startTcpProxy } from '../../machines/tcp-proxy.ts'
import { until } from '../../machines/waiting.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip = serverUrl === '' ? 'requires a PostgreSQL server: an embedded database has no outages' : false
const limitMs = 500

/** A server whose connection to its database the test controls. */
const start = async () => {
  const own = await createPostgresDatabase(serverUrl)
  const url = new URL(own.url)
  const line = await startTcpProxy(t, Number(url.port === '' ? 5432 : url.port))
  url.port = String(line.port)
  const database = withState(openPostgres(url.href, 4, () => undefined, { statementLimitMs: limitMs }))
  t.teardown(async () => {
    line.become('open')
    await database.close()
    await own.drop()
  })
  const server = await startApp(t, { database })
  const { testKey } = await createPartner(database)
  return {
    ...server,
    line,
    ownUrl: own.url,
    request: (method = 'GET', headers = {}) =>
      send(server.url, method, '/v1/webhooks', {
        key: testKey,
        headers,
        ...(method === 'GET' ? {} : { body: { url: 'http://127.0.0.1:1/', events: ['*'] } })
      })
  }
}

test('during an outage of the database', { skip }, async (t) => {
  const { line, request, database, url, ownUrl } = await start()
  const recovered = () => until('the server is ready again', async () => (await request()).status === 200)
  const assertUnavailable = ({ status, body, headers }: Awaited<ReturnType<typeof request>>) =>
    assert.deepEqual([status, body.error, headers.get('retry-after')], [503, 'unavailable', '1'], JSON.stringify(body))

  await t.test(
    'a request during an outage gets 503 with Retry-After, and succeeds once the database is back',
    async () => {
      assert.equal((await request()).status, 200)
      line.become('cut')
      for (let round = 0; round < 3; round++)
        for (const response of await Promise.all([
          request(),
          request('POST'),
          request('POST', { 'idempotency-key': `k${round}` })
        ]))
          assertUnavailable(response)
      assert.equal((await send(url, 'GET', '/api/v1/health/live')).status, 200)
      line.become('open')
      await recovered()
    }
  )

  await t.test(
    'a connection that dies between statements of a transaction ends the transaction, not the server',
    async () => {
      const admin = new pg.Client({ connectionString: ownUrl })
      await admin.connect()
      const died = database.db.transaction().execute(async (trx) => {
        await trx.selectFrom('partners').selectAll().execute()
        await admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
        )
        await until('the connection is dead', () => new Promise((done) => setImmediate(done, true)))
        await trx.selectFrom('partners').selectAll().execute()
      })
      await assert.rejects(died)
      await admin.end()
      await recovered()
    }
  )

  await t.test('requests to an unresponsive database time out, and its connections are dropped', async () => {
    await recovered()
    line.become('silent')
    for (let round = 0; round < 2; round++)
      for (const response of await Promise.all([
        request(),
        request('POST'),
        request('POST', { 'idempotency-key': `s${round}` })
      ]))
        assertUnavailable(response)
    assert.equal((await send(url, 'GET', '/api/v1/health/ready')).status, 503)
    line.become('open')
    await recovered()
    assert.equal((await request('POST', { 'idempotency-key': 's0' })).status, 201)
  })

  await t.test('a statement that waits too long for a lock ends in 503', async () => {
    const admin = new pg.Client({ connectionString: ownUrl })
    await admin.connect()
    await admin.query('begin')
    await admin.query('lock table webhooks in access exclusive mode')
    assertUnavailable(await request())
    await admin.query('rollback')
    await admin.end()
    await recovered()
  })
})
