import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import type { Cleaner } from '../build-app.ts'
import { call, mintKey, password, register } from '../modules/identity/client.ts'
import { startReceiver } from '../modules/webhooks/setup.ts'
import { ownSettings, startServerProcess } from '../machines/server-process.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
}

const serverKind = 2
const clientKind = 3

/** An OpenTelemetry collector on loopback that keeps everything it receives. */
const startCollector = async (t: Cleaner) => {
  const texts: string[] = []
  const spans: Span[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      texts.push(text)
      const body = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }
      if (request.url === '/v1/traces')
        spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, text: () => texts.join('\n') }
}

const attribute = (span: Span, key: string): string | number | undefined => {
  const value = span.attributes.find((one) => one.key === key)?.value
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue))
}

/** Runs from source, because tracing patches packages while they are loaded, which does not work in a bundle. */
const startTracedServer = async (t: Cleaner, settings: Record<string, string>) =>
  await startServerProcess(t, { ...(await ownSettings(t)), ...settings })

test(
  'a request is traced with its operation and statements, and no span contains secrets or identities',
  { timeout: 120_000 },
  async (t) => {
    const collector = await startCollector(t)
    const receiver = await startReceiver(t)
    const server = await startTracedServer(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_SERVICE_NAME: 'atlas-of-a-test',
      OTEL_BSP_SCHEDULE_DELAY: '100'
    })
    const person = await register(server.url, 'ada@example.com')
    const { key } = await mintKey(server.url, person.jwt)
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const listed = await call(server.url, '/v1/transactions?user_id=usr_secretive', {
      bearer: key,
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
    })
    const hook = await call(server.url, '/v1/webhooks', {
      method: 'POST',
      bearer: key,
      body: { url: `${receiver.url}/token-in-a-path`, events: ['*'] }
    })
    assert.equal(hook.status, 201, hook.text)
    const hookId = String(hook.body.id)
    await call(server.url, `/v1/webhooks/${hookId}/test`, { method: 'POST', bearer: key })
    await call(server.url, '/v1/accounts', { bearer: 'afg_test_thisisnotakeyofanybodyatallbutlookslikeit' })
    await call(server.url, '/api/v1/health')
    while (receiver.received.length === 0) await new Promise((done) => setTimeout(done, 50))
    assert.equal(await server.drain(), 0, server.output())

    const { spans } = collector
    const request = spans.find((span) => attribute(span, 'atlas.operation_id') === 'listTransactions')
    assert.ok(request !== undefined)
    assert.equal(request.name, 'GET /v1/transactions')
    assert.equal(request.kind, serverKind)
    assert.equal(request.traceId, traceId, 'the caller’s trace continues')
    assert.equal(attribute(request, 'http.route'), '/v1/transactions')
    assert.equal(attribute(request, 'http.response.status_code'), listed.status)
    assert.equal(attribute(request, 'atlas.request_id'), listed.headers.get('x-request-id'))
    if (process.env.TEST_DATABASE_URL !== undefined && process.env.TEST_DATABASE_URL !== '') {
      const statements = spans.filter(
        (span) => span.traceId === request.traceId && attribute(span, 'db.system.name') === 'postgresql'
      )
      assert.ok(
        statements.some(
          (span) => span.name === 'select' && String(attribute(span, 'db.query.text')).includes('from "credentials"')
        )
      )
      const created = spans.find((span) => attribute(span, 'atlas.operation_id') === 'createWebhook')
      const written = spans.filter((span) => span.traceId === created?.traceId).map((span) => span.name)
      for (const name of ['begin', 'insert', 'commit'])
        assert.ok(written.includes(name), `${name} among ${written.join(', ')}`)
    }
    const parents = new Set(spans.map((span) => span.spanId))
    for (const span of spans.filter((one) => attribute(one, 'db.query.text') !== undefined))
      assert.ok(parents.has(span.parentSpanId ?? ''), 'every statement belongs to a request')
    assert.ok(
      spans.some(
        (span) => span.kind === clientKind && attribute(span, 'server.port') === Number(new URL(receiver.url).port)
      ),
      'the delivery of the webhook'
    )
    assert.ok(
      !spans.some((span) => attribute(span, 'atlas.operation_id') === 'getHealth'),
      'health checks are not traced'
    )
    assert.equal(receiver.received[0]?.headers.traceparent, undefined, 'traces are not propagated to upstream services')

    const text = collector.text()
    assert.ok(text.includes('atlas-of-a-test'))
    const secrets = [
      person.jwt,
      person.refresh,
      person.email,
      password,
      key,
      hookId,
      String(hook.body.secret),
      'token-in-a-path',
      'usr_secretive',
      'afg_test_',
      'postgres@'
    ]
    for (const secret of secrets) assert.ok(!text.includes(secret), secret)
    const keys = new Set(spans.flatMap(({ attributes }) => attributes.map(({ key: name }) => name)))
    for (const name of keys)
      assert.doesNotMatch(name, /header|user_agent|client|peer|url\.(full|path|query)|values|parameter/)
  }
)

test('an unavailable collector affects nothing but the traces', { timeout: 120_000 }, async (t) => {
  const server = await startTracedServer(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500'
  })
  assert.equal((await call(server.url, '/v1/accounts')).status, 401)
  assert.equal(await server.drain(), 0, server.output())
})
