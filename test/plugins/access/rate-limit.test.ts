import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'tap'
import { addressKey, parseForwarded } from '../../../plugins/access/addresses.ts'
import { rateLimits as specified } from '../../../spec/generated/index.ts'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { until } from '../../machines/waiting.ts'
import { register } from '../../modules/identity/client.ts'
import { bindNotes, createNotesTable } from '../notes.ts'

/** Windows so long that none ends during a test. */
const rateLimits = { ...specified, standard: { limit: 60, windowSeconds: 3600 } }

const start = async (t: Cleaner, env: Record<string, string> = {}) => {
  const started = await startApp(t, { rateLimits, env, extend: (app) => bindNotes(app) })
  await createNotesTable.execute(started.database.db)
  return { ...started, partner: await createPartner(started.database) }
}

const post = (url: string, key: string) => send(url, 'POST', '/test/notes', { key, body: { text: 'a' } })

test('requests within the limit pass, and the response after them says when the window ends', async (t) => {
  const { url, partner, clock } = await start(t)
  const responses = await Promise.all(Array.from({ length: 61 }, () => post(url, partner.testKey)))
  const refused = responses.filter(({ status }) => status === 429)
  assert.equal(refused.length, 1)
  const left = responses.map(({ headers }) => Number(headers.get('x-ratelimit-remaining'))).sort((a, b) => b - a)
  assert.deepEqual(left, [...Array.from({ length: 60 }, (_, index) => 59 - index), 0])
  const [{ headers, body }] = refused as [(typeof refused)[0]]
  assert.equal(body.error, 'rate_limited')
  assert.equal(headers.get('x-ratelimit-limit'), '60')
  assert.equal(headers.get('x-ratelimit-remaining'), '0')
  assert.equal(headers.get('ratelimit-policy'), '"standard";q=60;w=3600')
  const retryAfter = Number(headers.get('retry-after'))
  assert.ok(retryAfter > 0 && retryAfter <= 3600)
  assert.equal(Number(headers.get('x-ratelimit-reset')), Math.ceil(clock.now().getTime() / 1000 + retryAfter))
  assert.equal(headers.get('ratelimit'), `"standard";r=0;t=${retryAfter}`)
})

test('after the window ends requests pass again', async (t) => {
  const limits = { ...specified, standard: { limit: 1, windowSeconds: 1 } }
  const { url, database } = await startApp(t, { rateLimits: limits, extend: (app) => bindNotes(app) })
  await createNotesTable.execute(database.db)
  const { testKey } = await createPartner(database)
  assert.equal((await post(url, testKey)).status, 201)
  await until('the window ends', async () => (await post(url, testKey)).status === 201)
})

test('one key’s limit does not affect another’s', async (t) => {
  const { url, partner, database } = await start(t)
  await Promise.all(Array.from({ length: 61 }, () => post(url, partner.testKey)))
  const neighbour = await createPartner(database)
  assert.equal((await post(url, neighbour.testKey)).status, 201)
})

test('all credentials of a tenant together have ten times the limit of one, however many there are', async (t) => {
  const limits = { ...specified, standard: { limit: 2, windowSeconds: 3600 } }
  const { url, database } = await startApp(t, { rateLimits: limits, extend: (app) => bindNotes(app) })
  await createNotesTable.execute(database.db)
  const partner = await createPartner(database)
  const tokens = await Promise.all(Array.from({ length: 12 }, () => partner.token(['notes:write'])))
  const responses = await Promise.all(tokens.flatMap((token) => [post(url, token), post(url, token)]))
  assert.equal(responses.filter(({ status }) => status === 201).length, 20)
  const refused = responses.filter(({ status }) => status === 429)
  assert.equal(refused.length, 4)
  for (const { headers, body } of refused) {
    assert.equal(headers.get('x-ratelimit-limit'), '20')
    assert.match(body.detail, /for all credentials together/)
  }
  const neighbour = await createPartner(database)
  assert.equal((await post(url, neighbour.testKey)).status, 201)
})

test('an operator can set a partner’s limits, and overrides in the settings affect only their partner', async (t) => {
  const { url, partner, database } = await start(t)
  await database.db
    .updateTable('partners')
    .set({ rate_overrides: JSON.stringify({ standard: 3 }) })
    .where('id', '=', partner.partnerId)
    .execute()
  const statuses = []
  for (let count = 0; count < 4; count++) statuses.push((await post(url, partner.testKey)).status)
  assert.deepEqual(statuses, [201, 201, 201, 429])
  const lowered = await start(t, { PUBLIC_API_RATE_OVERRIDES: JSON.stringify({ another: { standard: 3 } }) })
  assert.equal((await post(lowered.url, lowered.partner.testKey)).headers.get('x-ratelimit-limit'), '60')
})

test('an IPv6 caller counts by its /64, an IPv4 one by its address', async () => {
  assert.equal(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:2:ffff::9'))
  assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'))
  assert.equal(addressKey('::ffff:127.0.0.9'), '127.0.0.9')
  assert.notEqual(addressKey('127.0.0.9'), addressKey('127.0.0.8'))
})

test('a forwarded address is read with or without a port, and anything else is treated as absent', async () => {
  assert.equal(parseForwarded('127.0.0.9'), '127.0.0.9')
  assert.equal(parseForwarded('127.0.0.9:8080'), '127.0.0.9')
  assert.equal(parseForwarded('2001:db8::1'), '2001:db8::1')
  assert.equal(parseForwarded('[2001:db8::1]'), '2001:db8::1')
  assert.equal(parseForwarded('[2001:db8::1]:443'), '2001:db8::1')
  for (const text of ['', 'unknown', '127.0.0.9:99999', '127.0.0', '[127.0.0.9]:80', '_hidden', '[::1'])
    assert.equal(parseForwarded(text), undefined, text)
})

test('the ports that a proxy forwards do not give one client several limits', async (t) => {
  const { url } = await start(t, { ATLAS_TRUST_PROXY: 'true' })
  const from = async (forwarded: string) =>
    (await fetch(`${url}/nowhere`, { headers: { 'x-forwarded-for': forwarded } })).headers.get('x-ratelimit-remaining')
  assert.deepEqual(
    [await from('127.0.0.7:1001'), await from('127.0.0.7:1002'), await from('127.0.0.7')],
    ['59', '58', '57']
  )
  assert.deepEqual([await from('[2001:db8::1]:1'), await from('2001:db8::2')], ['59', '58'])
  // Counted against the address of the connection itself.
  assert.deepEqual([await from('garbage'), await from('more garbage')], ['59', '58'])
})

test('requests without a credential share the limit of their address, even on unknown paths', async (t) => {
  const { url } = await start(t)
  const responses = await Promise.all(Array.from({ length: 61 }, () => send(url, 'GET', '/nowhere')))
  assert.equal(responses.filter(({ status }) => status === 429).length, 1)
})

test('guessing keys is limited by address', async (t) => {
  const { url } = await start(t)
  const responses = await Promise.all(Array.from({ length: 61 }, (_, index) => post(url, `afg_test_${index}`)))
  assert.equal(responses.filter(({ status }) => status === 429).length, 1)
})

test('without Redis requests are still served, within limits of this instance', async (t) => {
  // No process listens on port 1.
  const { url, partner } = await start(t, { REDIS_URL: 'redis://127.0.0.1:1' })
  const responses = await Promise.all(Array.from({ length: 61 }, () => post(url, partner.testKey)))
  assert.deepEqual(
    [responses.filter(({ status }) => status === 201).length, responses.filter(({ status }) => status === 429).length],
    [60, 1]
  )
  const health = await send(url, 'GET', '/api/v1/health')
  assert.deepEqual(health.body.redis, { configured: true, status: 'unavailable' })
})

test('an unresponsive Redis does not keep a server from starting', async (t) => {
  const sockets = new Set<Socket>()
  const mute = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    mute.close()
  })
  const { url, partner } = await start(t, { REDIS_URL: `redis://127.0.0.1:${(mute.address() as AddressInfo).port}` })
  assert.equal((await post(url, partner.testKey)).status, 201)
})

const testRedis = process.env.TEST_REDIS_URL

test(
  'the first request to a new server counts against the limit of all instances',
  { skip: testRedis === undefined },
  async (t) => {
    const env = { REDIS_URL: `${testRedis}?keyPrefix=${randomUUID()}:` }
    const first = await start(t, env)
    const second = await startApp(t, { rateLimits, env, database: first.database, extend: (app) => bindNotes(app) })
    const left = [await post(first.url, first.partner.testKey), await post(second.url, first.partner.testKey)].map(
      ({ headers }) => headers.get('x-ratelimit-remaining')
    )
    assert.deepEqual(left, ['59', '58'])
  }
)

test('registering without a session is limited by address, IPv6 by /64; with a session it is not', async (t) => {
  const limits = { ...specified, registration: { limit: 3, windowSeconds: 3600 } }
  const { url } = await startApp(t, { rateLimits: limits, env: { ATLAS_TRUST_PROXY: 'true' } })
  const { jwt } = await register(url, 'owner@example.com')
  const from = (address: string, path: string, agent_id: string, key?: string) =>
    send(url, 'POST', path, {
      body: { agent_id },
      headers: { 'x-forwarded-for': address },
      ...(key === undefined ? {} : { key })
    })
  assert.equal((await from('2001:db8::1', '/api/register', '')).status, 400, 'an invalid request does not count')
  assert.equal((await from('2001:db8::1', '/api/register', 'agent-1')).status, 201)
  assert.equal((await from('2001:db8::2', '/api/register', 'agent-2')).status, 201)
  assert.equal((await from('2001:db8::3', '/v2/api/register', 'agent-1')).status, 200)
  for (const path of ['/api/register', '/v2/api/register']) {
    const refused = await from('2001:db8::ffff', path, 'agent-4')
    assert.deepEqual([refused.status, refused.body.error], [429, 'rate_limited'])
    assert.match(refused.body.detail, /3 requests per hour/)
    assert(Number(refused.headers.get('retry-after')) > 1)
  }
  assert.equal((await from('2001:db8::1', '/api/register', 'agent-4', jwt)).status, 201)
  assert.equal((await from('2001:db8:0:1::1', '/api/register', 'agent-5')).status, 201)
})
