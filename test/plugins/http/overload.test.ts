import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { test } from 'tap'
import { startApp, type TestApp } from '../../build-app.ts'
import { createPartner, send, type Answered } from '../../credentials.ts'
import { bindNotes, createNotesTable } from '../notes.ts'

const createdNotes = async ({ database }: TestApp) =>
  await sql<{ id: string }>`select id from test_notes`.execute(database.db)

const live = async ({ url }: Pick<TestApp, 'url'>): Promise<number> =>
  (await send(url, 'GET', '/api/v1/health/live')).status

const assertRefused = ({ status, headers, body, text }: Answered): void => {
  assert.equal(status, 503, text)
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.deepEqual([body.error, body.type], ['overloaded', '/errors/overloaded'])
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  assert.notEqual(headers.get('x-request-id'), null)
}

/** Repeats a request until it gets the wanted status: the load is measured once a second. */
const until = async (request: () => Promise<Answered>, status: number): Promise<Answered> => {
  for (;;) {
    const response = await request()
    if (response.status === status) return response
    await new Promise((done) => setTimeout(done, 50))
  }
}

test('requests above the limit get 503 at once, and admitted ones complete', { timeout: 180_000 }, async (t) => {
  const most = 20
  const requests = 200
  let release = (): void => undefined
  const held = new Promise<void>((done) => (release = done))
  // Each request holds its transaction open, so that the connections run out before the request limit is reached.
  const server = await startApp(t, {
    env: { ATLAS_OVERLOAD_REQUESTS: String(most) },
    extend: (app) => bindNotes(app, { meanwhile: () => held })
  })
  const { url, database } = server
  await createNotesTable.execute(database.db)
  const { testKey } = await createPartner(database)
  const post = (index: number): Promise<Answered> =>
    send(url, 'POST', '/test/notes', {
      key: testKey,
      body: { text: String(index) },
      headers: { 'idempotency-key': `note-${index}` }
    })

  const responses: Answered[] = []
  let refusedCount = 0
  const allRefused = new Promise<void>((done) => {
    for (let index = 0; index < requests; index++) {
      void post(index).then((response) => {
        responses[index] = response
        if (response.status === 503) refusedCount += 1
        if (refusedCount === requests - most) done()
      })
    }
  })
  await allRefused
  responses.forEach(assertRefused)
  assert.equal(await live(server), 200)
  release()
  while (Object.keys(responses).length < requests) await new Promise((done) => setTimeout(done, 20))
  const refused = responses.flatMap(({ status }, index) => (status === 503 ? [index] : []))
  assert.equal(refused.length, requests - most)
  assert.ok(responses.every(({ status }) => status === 201 || status === 503))
  assert.equal((await createdNotes(server)).rows.length, most)
  for (const index of refused) {
    const again = await post(index)
    assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [201, null])
  }
  assert.equal((await createdNotes(server)).rows.length, requests)
})

test(
  'a server short of memory rejects new requests, and its health checks still succeed',
  { timeout: 180_000 },
  async (t) => {
    // Even an idle server needs more than one per cent of V8's heap limit.
    const server = await startApp(t, { env: { ATLAS_OVERLOAD_MEMORY_PERCENT: '1' } })
    assertRefused(await until(() => send(server.url, 'GET', '/v1/events'), 503))
    assertRefused(await send(server.url, 'GET', '/nowhere'))
    assert.equal(await live(server), 200)
    assert.equal((await send(server.url, 'GET', '/api/v1/health/ready')).status, 200)
  }
)

test(
  'a server with a blocked event loop rejects new requests until it has caught up',
  { timeout: 180_000 },
  async (t) => {
    const server = await startApp(t, { env: { ATLAS_OVERLOAD_LOOP_DELAY_MS: '200' } })
    let busy = true
    const compute = (): void => {
      const until = performance.now() + 600
      while (performance.now() < until);
      if (busy) setImmediate(compute)
    }
    compute()
    const request = (): Promise<Answered> => send(server.url, 'GET', '/errors/overloaded')
    assertRefused(await until(request, 503))
    assert.equal(await live(server), 200)
    busy = false
    const page = await until(request, 200)
    assert.match(page.text, /rejected the request before any work began/)
  }
)

test('disabled limits reject nothing', { timeout: 180_000 }, async (t) => {
  const env = { ATLAS_OVERLOAD_MEMORY_PERCENT: '0', ATLAS_OVERLOAD_LOOP_DELAY_MS: '0', ATLAS_OVERLOAD_REQUESTS: '0' }
  const { url, database } = await startApp(t, { env })
  const { testKey } = await createPartner(database)
  const responses = await Promise.all(
    Array.from({ length: 300 }, () => send(url, 'GET', '/v1/events', { key: testKey }))
  )
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200])
})

/** What the client has sent when it resets its connection, by what the server is doing then. */
const phases: Record<string, string> = {
  headers: 'GET /test/slow HTTP/1.1\r\nHost: he',
  body: 'POST /test/echo HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a',
  handler: 'GET /test/slow HTTP/1.1\r\nHost: here\r\n\r\n',
  response: 'GET /test/large HTTP/1.1\r\nHost: here\r\n\r\n'
}

/** Opens connections, sends a text, waits for a different time on each, and resets them. */
const resetMany = async (url: string, text: string, count: number): Promise<void> => {
  const { hostname, port } = new URL(url)
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(text)
      await new Promise((done) => setTimeout(done, index % 8))
      socket.resetAndDestroy()
    })
  )
}

test(
  'after thousands of resets in every phase, pipelined or not, no request is counted as in progress',
  { timeout: 180_000 },
  async (t) => {
    const large = 'x'.repeat(500_000)
    const addRoutes = (server: FastifyInstance): void => {
      server.get('/test/slow', () => new Promise((done) => setTimeout(() => done({}), 10)))
      server.get('/test/large', async () => large)
      server.post('/test/echo', async () => ({}))
    }
    const { url, app } = await startApp(t, {
      env: { ATLAS_OVERLOAD_REQUESTS: '1000000', ATLAS_METRICS_ENABLED: 'true', ATLAS_METRICS_PORT: '0' },
      extend: addRoutes
    })
    for (const text of Object.values(phases))
      for (const sent of [text, text.repeat(5), `${phases.handler}${phases.response}`.repeat(3) + text])
        for (let round = 0; round < 3; round++) await resetMany(url, sent, 60)
    const inFlight = async (): Promise<string | undefined> =>
      /^atlas_http_requests_in_flight (\d+)/m.exec(await (await fetch(app.metrics.url() ?? '')).text())?.[1]
    while ((await inFlight()) !== '0') await new Promise((done) => setTimeout(done, 50))
  }
)

test('requests with unfinished bodies do not count against the limit of requests in progress', async (t) => {
  let waitingForBody = 0
  const countThem = (server: FastifyInstance): void => {
    server.post(
      '/test/unfinished',
      {
        preParsing: async () => {
          waitingForBody += 1
        }
      },
      async () => ({})
    )
  }
  const { url } = await startApp(t, { env: { ATLAS_OVERLOAD_REQUESTS: '2' }, extend: countThem })
  const { hostname, port } = new URL(url)
  for (let opened = 1; opened <= 5; opened++) {
    const socket = connect(Number(port), hostname)
    t.teardown(() => socket.destroy())
    socket.write(
      'POST /test/unfinished HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a'
    )
    // Until its body is awaited a request counts, so the next one comes only then.
    while (waitingForBody < opened) await new Promise((done) => setTimeout(done, 5))
  }
  assert.equal((await send(url, 'GET', '/api/v1/users/me')).status, 401)
  const responses = await Promise.all([send(url, 'GET', '/errors/overloaded'), send(url, 'GET', '/errors/overloaded')])
  assert.deepEqual(
    responses.map(({ status }) => status),
    [200, 200]
  )
})
