import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { ledgerCheckJob } from '../../plugins/ledger/index.ts'
import { rateLimits } from '../../spec/generated/index.ts'
import { startApp, type TestApp, type TestOptions } from '../build-app.ts'
import type { Cleaner } from '../build-app.ts'
import { createPartner, send } from '../credentials.ts'
import { createApi, hookFor, publish, respond, startReceiver } from '../modules/webhooks/setup.ts'

const enabled = { ATLAS_METRICS_ENABLED: 'true', ATLAS_METRICS_PORT: '0', HOST: '127.0.0.1' }

/** One series of the text format. */
interface Series {
  name: string
  labels: string
  value: number
}

const read = async ({ app }: Pick<TestApp, 'app'>): Promise<Series[]> => {
  const response = await fetch(app.metrics.url() ?? '')
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [, name = '', , labels = '', value] = /^([a-z0-9_]+)(\{(.*)\})? (.+)$/.exec(line) ?? []
    return { name, labels, value: Number(value) }
  })
}

const valueOf = (series: Series[], name: string, ...labels: string[]): number | undefined =>
  series.find((one) => one.name === name && labels.every((label) => one.labels.includes(label)))?.value

const start = async (t: Cleaner, options: TestOptions = {}) => {
  const server = await startApp(t, { ...options, env: { ...enabled, ...options.env } })
  return { ...server, partner: await createPartner(server.database) }
}

/** The client may receive a response shortly before the server has recorded its end. */
const settled = async (server: TestApp, holds: (series: Series[]) => boolean): Promise<Series[]> => {
  for (;;) {
    const series = await read(server)
    if (holds(series)) return series
    await new Promise((done) => setTimeout(done, 20))
  }
}

test('metrics are disabled by default, and never served on the public port', async (t) => {
  const off = await startApp(t)
  assert.equal(off.app.metrics.url(), undefined)
  assert.equal((await send(off.url, 'GET', '/metrics')).status, 404)
  const on = await start(t)
  assert.equal((await send(on.url, 'GET', '/metrics')).status, 404)
  assert.notEqual(new URL(on.app.metrics.url() ?? '').port, new URL(on.url).port)
  assert.equal((await fetch(new URL('/v1/accounts', on.app.metrics.url()))).status, 404)
  assert.equal((await fetch(on.app.metrics.url() ?? '', { method: 'POST' })).status, 404)
})

test('each operation has a series, and all unknown paths share one', { timeout: 180_000 }, async (t) => {
  const server = await start(t)
  const { url, partner } = server
  await send(url, 'GET', '/v1/events', { key: partner.testKey })
  await send(url, 'GET', '/v1/events')
  for (let path = 0; path < 30; path++) await send(url, 'GET', `/nowhere/${path}?secret=hunter2`)
  await send(url, 'DELETE', '/v1/events')
  const count = 'atlas_http_request_duration_seconds_count'
  const series = await settled(
    server,
    (found) => valueOf(found, count, 'operation="unknown"', 'method="DELETE"', 'status="4xx"') === 1
  )
  assert.equal(valueOf(series, count, 'operation="listEvents"', 'method="GET"', 'status="2xx"'), 1)
  assert.equal(valueOf(series, count, 'operation="listEvents"', 'method="GET"', 'status="4xx"'), 1)
  assert.equal(valueOf(series, count, 'operation="unknown"', 'method="GET"', 'status="4xx"'), 30)
  assert.equal(series.filter(({ name }) => name === count).length, 4)
  assert.equal(valueOf(series, 'atlas_http_requests_in_flight'), 0)
  assert.ok(!series.some(({ labels }) => labels.includes('nowhere') || labels.includes('hunter2')))
})

test('a request whose client has disconnected stops counting as in flight', { timeout: 180_000 }, async (t) => {
  const server = await start(t, {
    extend: (app) => app.get('/test/never', () => new Promise(() => undefined))
  })
  const leaving = new AbortController()
  const gone = fetch(`${server.url}/test/never`, { signal: leaving.signal }).catch(() => 'gone')
  await settled(server, (series) => valueOf(series, 'atlas_http_requests_in_flight') === 1)
  leaving.abort()
  assert.equal(await gone, 'gone')
  const series = await settled(server, (found) => valueOf(found, 'atlas_http_requests_in_flight') === 0)
  assert.equal(valueOf(series, 'atlas_http_request_duration_seconds_count', 'status="aborted"'), 1)
})

test(
  'rate limiting, replays, jobs, deliveries and calls to other services are counted',
  { timeout: 180_000 },
  async (t) => {
    const server = await start(t, { rateLimits: { ...rateLimits, standard: { limit: 10, windowSeconds: 60 } } })
    const { app, url, partner } = server
    const api = createApi(url, partner.testKey)
    const receiver = await startReceiver(t)
    await hookFor(api, receiver.url, ['task.created'])
    await publish(server, partner.partnerId, ['task.created'])
    await app.outbox.settle()
    receiver.behave(respond(500))
    await publish(server, partner.partnerId, ['task.created'])
    await app.outbox.settle()

    const linking = { key: partner.testKey, body: {}, headers: { 'idempotency-key': 'once' } }
    const first = await send(url, 'POST', '/v1/sandbox/public_token', linking)
    assert.equal((await send(url, 'POST', '/v1/sandbox/public_token', linking)).text, first.text)
    await send(url, 'POST', '/v1/accounts/link', {
      key: partner.testKey,
      body: { public_token: 'public-sandbox-unknown', user_id: 'usr_1' }
    })

    await app.jobs.run(ledgerCheckJob)
    app.jobs.every('a job that fails', 3_600_000, () => Promise.reject(new Error('as it should')))
    await assert.rejects(app.jobs.run('a job that fails'))

    while ((await send(url, 'GET', '/api/v1/health/live')).status !== 429);
    const series = await read(server)
    assert.equal(valueOf(series, 'atlas_webhook_attempts_total', 'outcome="succeeded"'), 1)
    assert.equal(valueOf(series, 'atlas_webhook_attempts_total', 'outcome="failed"'), 1)
    assert.equal(valueOf(series, 'atlas_idempotent_replays_total'), 1)
    assert.equal(valueOf(series, 'atlas_upstream_call_duration_seconds_count', 'service="plaid"', 'outcome="ok"'), 1)
    assert.equal(
      valueOf(series, 'atlas_upstream_call_duration_seconds_count', 'service="plaid"', 'outcome="refused"'),
      1
    )
    assert.equal(valueOf(series, 'atlas_job_duration_seconds_count', `job="${ledgerCheckJob}"`, 'outcome="ok"'), 1)
    assert.equal(valueOf(series, 'atlas_job_duration_seconds_count', 'job="a job that fails"', 'outcome="failed"'), 1)
    assert.equal(valueOf(series, 'atlas_rate_limited_total', 'class="standard"'), 1)
    assert.equal(valueOf(series, 'atlas_check_ok', 'check="ledger"'), 1)
    assert.equal(
      valueOf(series, 'atlas_check_timestamp_seconds', 'check="ledger"'),
      server.clock.now().getTime() / 1000
    )
    assert.ok((valueOf(series, 'process_resident_memory_bytes') ?? 0) > 0)
  }
)

test('metrics show the age of unpublished events and the number of due deliveries', { timeout: 180_000 }, async (t) => {
  const server = await start(t)
  const { app, clock, database, partner } = server
  assert.equal(valueOf(await read(server), 'atlas_events_unpublished_age_seconds'), 0)
  const receiver = await startReceiver(t, respond(500))
  await hookFor(createApi(server.url, partner.testKey), receiver.url)
  await publish(server, partner.partnerId, ['task.created', 'task.updated'])
  await app.outbox.settle()
  await database.db.updateTable('webhooks').set({ status: 'disabled', disabled_reason: 'requested' }).execute()
  clock.advance(3_600_000)
  assert.equal(valueOf(await read(server), 'atlas_webhook_deliveries_due'), 2)

  // Inserted as by a process that died right after its commit. The publisher may find one of them before the metrics are read, but not all.
  const left = {
    partner_id: partner.partnerId,
    environment: 'test' as const,
    type: 'task.created',
    data: '{}',
    created_at: new Date(clock.now().getTime() - 90_000)
  }
  let ageSeconds: number | undefined = 0
  for (let attempt = 0; ageSeconds === 0 && attempt < 20; attempt++) {
    await database.db
      .insertInto('events')
      .values({ id: `evt_left_${attempt}`, ...left })
      .execute()
    ageSeconds = valueOf(await read(server), 'atlas_events_unpublished_age_seconds')
  }
  assert.equal(ageSeconds, 90)
})

test(
  'PostgreSQL has metrics of its pool, and an outage hides only metrics that need the database',
  { timeout: 180_000 },
  async (t) => {
    const server = await start(t)
    const up = await read(server)
    assert.equal(valueOf(up, 'atlas_database_up'), 1)
    if (server.database.driver === 'postgresql') {
      assert.equal(valueOf(up, 'atlas_database_connections', 'state="most"'), 6)
      assert.ok((valueOf(up, 'atlas_database_statements_in_flight') ?? -1) >= 0)
      assert.ok((valueOf(up, 'atlas_database_connections', 'state="waiting"') ?? -1) >= 0)
    }
    await server.database.db.destroy()
    const down = await read(server)
    assert.equal(valueOf(down, 'atlas_database_up'), 0)
    assert.equal(valueOf(down, 'atlas_webhook_deliveries_due'), undefined)
    assert.equal(valueOf(down, 'atlas_events_unpublished_age_seconds'), undefined)
    assert.ok((valueOf(down, 'nodejs_heap_size_used_bytes') ?? 0) > 0)
  }
)

test(
  'every metric of ours is documented for operators, and every documented one exists',
  { timeout: 180_000 },
  async (t) => {
    const { app } = await start(t)
    const text = await (await fetch(app.metrics.url() ?? '')).text()
    const served = [...text.matchAll(/^# TYPE (atlas_\w+) /gm)].map(([, name]) => name)
    const table = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8').matchAll(/^\| .*\|.*$/gm)
    const explained = [...table].flatMap(([row]) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(atlas_\w+)(?:\{[\w, ]+\})?`/g)].map(([, name]) => name)
    )
    // The embedded database has no pool.
    const here =
      app.database.connections === undefined
        ? explained.filter((name) => !/^atlas_database_(connections|statements)/.test(name ?? ''))
        : explained
    assert.deepEqual(here.sort(), served.sort())
  }
)

test('a metrics port in use fails the start, as an API port does', async (t) => {
  const other = createServer()
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done))
  t.teardown(() => void other.close())
  const { port } = other.address() as AddressInfo
  await assert.rejects(startApp(t, { env: { ...enabled, ATLAS_METRICS_PORT: String(port) } }), { code: 'EADDRINUSE' })
})
