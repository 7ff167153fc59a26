import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { rateLimits } from '../../../spec/generated/index.ts'
import { loadConfig } from '../../../plugins/config/index.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'

const [app, admin] = ['https://app.example.com', 'https://admin.example.com:8443']
const { url, database } = await startApp(t, { env: { ATLAS_CORS_ORIGINS: `${app}, ${admin}` } })
const { testKey } = await createPartner(database)

const preflight = (path: string, origin: string, method = 'POST', base = url) =>
  fetch(`${base}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type,idempotency-key'
    }
  })
const corsHeadersOf = ({ headers }: { headers: Headers }) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'))

test('a preflight of a listed origin is allowed on every path, without a credential', async () => {
  for (const origin of [app, admin])
    for (const path of ['/v1/transfers', '/v1/transfers/tfr_1/cancel', '/api/v1/users/me', '/mcp', '/nowhere']) {
      const { status, headers } = await preflight(path, origin)
      assert.equal(status, 204, path)
      assert.equal(headers.get('access-control-allow-origin'), origin)
      assert.equal(headers.get('access-control-allow-methods'), 'GET, HEAD, POST, PUT, PATCH, DELETE')
      assert.equal(headers.get('access-control-allow-headers'), 'authorization,content-type,idempotency-key')
      assert.equal(headers.get('access-control-max-age'), '7200')
      assert.match(headers.get('vary') ?? '', /Origin/)
      assert.equal(headers.get('access-control-allow-credentials'), null, 'cookies stay out')
    }
})

test('responses to a listed origin can be read with the headers that clients need, errors too', async () => {
  const ask = (path: string, key?: string) =>
    send(url, 'GET', path, { ...(key === undefined ? {} : { key }), headers: { origin: app } })
  for (const [response, status] of [
    [await ask('/v1/transfers', testKey), 200],
    [await ask('/v1/transfers'), 401],
    [await ask('/nowhere'), 404],
    [await ask('/v1/transfers?limit=0', testKey), 400]
  ] as const) {
    assert.equal(response.status, status)
    assert.equal(response.headers.get('access-control-allow-origin'), app)
    const exposed = (response.headers.get('access-control-expose-headers') ?? '').split(', ')
    for (const name of [
      'X-Request-Id',
      'X-RateLimit-Remaining',
      'RateLimit',
      'Retry-After',
      'Idempotent-Replayed',
      'Location',
      'ETag'
    ])
      assert.ok(exposed.includes(name), name)
  }
})

test('other origins and requests without one are served as before, without any permission', async () => {
  for (const origin of [
    'https://evil.example',
    'http://app.example.com',
    `${app}:444`,
    `${app}.evil.example`,
    'null'
  ]) {
    const refused = await preflight('/v1/transfers', origin)
    assert.deepEqual([refused.status, corsHeadersOf(refused)], [405, []], origin)
    assert.match(refused.headers.get('content-type') ?? '', /problem\+json/)
    const read = await send(url, 'GET', '/v1/transfers', { key: testKey, headers: { origin } })
    assert.deepEqual([read.status, corsHeadersOf(read)], [200, []], origin)
    assert.match(read.headers.get('vary') ?? '', /Origin/, 'caches keep the responses apart')
  }
  const plain = await fetch(`${url}/nowhere`, { method: 'OPTIONS' })
  assert.deepEqual([plain.status, corsHeadersOf(plain)], [404, []])
})

test('preflights do not use up the rate limit of their address', async (t) => {
  const limited = await startApp(t, {
    env: { ATLAS_CORS_ORIGINS: app },
    rateLimits: { ...rateLimits, standard: { limit: 2, windowSeconds: 60 } }
  })
  for (let time = 0; time < 10; time++)
    assert.equal((await preflight('/v1/transfers', app, 'GET', limited.url)).status, 204)
  const ask = () => send(limited.url, 'GET', '/api/balance?agent_id=unknown', { headers: { origin: app } })
  assert.equal((await ask()).status, 404)
  assert.equal((await ask()).status, 404)
  const refused = await ask()
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [429, app])
})

test('without the setting no response has a CORS header', async (t) => {
  const plain = await startApp(t, { env: { ATLAS_CORS_ORIGINS: '' } })
  const refused = await preflight('/v1/transfers', app, 'POST', plain.url)
  assert.deepEqual([refused.status, corsHeadersOf(refused), refused.headers.get('vary')], [405, [], null])
})

test('only exact origins are accepted as a setting', async () => {
  const load = (origins: string) => loadConfig({ NODE_ENV: 'test', ATLAS_CORS_ORIGINS: origins }).corsOrigins
  assert.deepEqual(load('http://localhost:5173, https://a.example'), ['http://localhost:5173', 'https://a.example'])
  for (const wrong of [
    '*',
    'null',
    'app.example.com',
    'https://app.example.com/',
    'https://app.example.com:443',
    'https://*.example.com',
    'https://App.example.com',
    'https://user@app.example.com',
    'ftp://app.example.com',
    'https://a.example,,https://b.example',
    'https://a.example,*'
  ])
    assert.throws(() => load(wrong), /ATLAS_CORS_ORIGINS is not valid/, wrong)
})
