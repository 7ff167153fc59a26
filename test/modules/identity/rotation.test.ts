import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { call, codeOf, fieldsOf, login, mintKey, mintToken, register, type Reply } from './client.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const statusOf = async (url: string, bearer: unknown): Promise<number> =>
  (await call(url, '/v1/activity', { bearer: String(bearer) })).status

const create = (url: string, bearer: string, body: unknown): Promise<Reply> =>
  call(url, '/v1/api-keys', { method: 'POST', bearer, body })

const rotate = (url: string, bearer: string, path: string, body?: unknown): Promise<Reply> =>
  call(url, `${path}/rotate`, { method: 'POST', bearer, ...(body === undefined ? {} : { body }) })

test('a key is limited to its scopes, and the problem names the missing one', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const limited = await create(url, jwt, { name: ' Reader ', environment: 'test', scopes: ['activity:read'] })
  assert.deepEqual(
    [limited.status, limited.body.name, limited.body.scopes, limited.body.expires_at],
    [201, 'Reader', ['activity:read'], null]
  )
  assert.equal(await statusOf(url, limited.body.key), 200)
  const refused = await call(url, '/v1/projects', { bearer: String(limited.body.key) })
  assert.deepEqual(
    [refused.status, codeOf(refused), refused.body.missingScope],
    [403, 'insufficient_scope', 'projects:read']
  )
  const { key } = await mintKey(url, jwt)
  assert.equal((await call(url, '/v1/projects', { bearer: key })).status, 200, 'by default a key has all scopes')
  const { items } = (await call(url, '/v1/api-keys', { bearer: jwt })).body as { items: { scopes: unknown }[] }
  assert.deepEqual(items.map(({ scopes }) => scopes).sort(), [['activity:read'], null])
})

test('a key stops working at its expiry, and leaves the list and the quota', async (t) => {
  const { url, clock } = await startApp(t)
  const { jwt, email } = await register(url, 'ada@example.com')
  const { body } = await create(url, jwt, { name: 'a', environment: 'test', expires_at: '2026-06-14T20:00:00+01:00' })
  assert.equal(body.expires_at, '2026-06-14T19:00:00.000Z')
  clock.advance(hourMs - 1)
  assert.equal(await statusOf(url, body.key), 200)
  clock.advance(1)
  const refused = await call(url, '/v1/activity', { bearer: String(body.key) })
  assert.deepEqual([refused.status, codeOf(refused)], [401, 'unauthorized'])
  const later = await login(url, email)
  assert.deepEqual((await call(url, '/v1/api-keys', { bearer: later.jwt })).body.items, [])
  assert.equal((await rotate(url, later.jwt, `/v1/api-keys/${String(body.id)}`)).status, 404)
})

test('wrong scopes, expiries and overlaps are rejected', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const key = { name: 'a', environment: 'test' }
  for (const [more, field] of [
    [{ scopes: [] }, 'body/scopes'],
    [{ scopes: ['everything:read'] }, 'body/scopes/0'],
    [{ scopes: ['tasks:read', 'tasks:read'] }, 'body/scopes'],
    [{ expires_at: '2026-06-14T18:00:00Z' }, 'body/expires_at'],
    [{ expires_at: 'tomorrow' }, 'body/expires_at'],
    [{ expiresAt: '2099-01-01T00:00:00Z' }, 'body/expiresAt']
  ] as const)
    assert.deepEqual(fieldsOf(await create(url, jwt, { ...key, ...more })), [field])
  const { id } = await mintKey(url, jwt)
  for (const overlap_seconds of [-1, 604_801, 0.5, '60'])
    assert.deepEqual(fieldsOf(await rotate(url, jwt, `/v1/api-keys/${id}`, { overlap_seconds })), [
      'body/overlap_seconds'
    ])
  assert.equal((await rotate(url, jwt, `/v1/api-keys/${id}`, { overlap_seconds: 604_800 })).status, 201)
})

test('a rotated key works beside its successor until the overlap ends, by default for 24 hours', async (t) => {
  const { url, clock } = await startApp(t)
  const { jwt, email } = await register(url, 'ada@example.com')
  const made = (await create(url, jwt, { name: 'Backend', environment: 'live', scopes: ['activity:read'] })).body
  const { key: oldTest, id: oldTestId } = await mintKey(url, jwt)
  const rotated = await rotate(url, jwt, `/v1/api-keys/${oldTestId}`)
  assert.equal(rotated.status, 201, rotated.text)
  assert.deepEqual(rotated.body.previous, { id: oldTestId, expires_at: '2026-06-15T18:00:00.000Z' })
  assert.notEqual(rotated.body.key, oldTest)
  const live = (await rotate(url, jwt, `/v1/api-keys/${String(made.id)}`, { overlap_seconds: 60 })).body
  assert.deepEqual(
    [live.name, live.environment, live.scopes, live.expires_at],
    ['Backend', 'live', ['activity:read'], null]
  )
  assert.match(String(live.key), /^afg_live_/)
  clock.advance(dayMs - 1)
  for (const key of [oldTest, rotated.body.key]) assert.equal(await statusOf(url, key), 200)
  clock.advance(1)
  assert.equal(await statusOf(url, oldTest), 401)
  assert.equal(await statusOf(url, rotated.body.key), 200)
  const { items } = (await call(url, '/v1/api-keys', { bearer: (await login(url, email)).jwt })).body
  assert.deepEqual(
    (items as { id: string }[]).map(({ id }) => id).sort(),
    [String(live.id), String(rotated.body.id)].sort()
  )
})

test('an overlap of zero stops the old key at once, and an overlap never prolongs its life', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const { id, key } = await mintKey(url, jwt)
  const { body } = await rotate(url, jwt, `/v1/api-keys/${id}`, { overlap_seconds: 0 })
  assert.deepEqual([await statusOf(url, key), await statusOf(url, body.key)], [401, 200])
  const expires_at = '2026-06-14T19:00:00.000Z'
  const brief = (await create(url, jwt, { name: 'a', environment: 'test', expires_at })).body
  const successor = (await rotate(url, jwt, `/v1/api-keys/${String(brief.id)}`)).body
  assert.equal((successor.previous as { expires_at: string }).expires_at, expires_at)
  assert.equal(successor.expires_at, expires_at, 'as long a life, from now')
})

test('a token is rotated like a key, with its scopes and addresses', async (t) => {
  const { url, clock } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const { id, token } = await mintToken(url, jwt, {
    allowedIps: ['127.0.0.0/8'],
    expiresAt: '2026-06-24T18:00:00.000Z'
  })
  clock.advance(60_000)
  const { status, body } = await rotate(url, jwt, `/v1/tokens/${id}`, { overlapSeconds: 60 })
  assert.equal(status, 201)
  const { name, scopes, allowedIps, environment, expiresAt, previous } = body
  assert.deepEqual(
    { name, scopes, allowedIps, environment, expiresAt, previous },
    {
      name: 'Script',
      scopes: ['activity:read'],
      allowedIps: ['127.0.0.0/8'],
      environment: 'test',
      expiresAt: '2026-06-24T18:01:00.000Z',
      previous: { id, expiresAt: '2026-06-14T18:02:00.000Z' }
    }
  )
  assert.deepEqual([await statusOf(url, token), await statusOf(url, body.token)], [200, 200])
  clock.advance(60_000)
  assert.deepEqual([await statusOf(url, token), await statusOf(url, body.token)], [401, 200])
})

test('a key is rotated once, also by concurrent requests, and only by a session of its partner', async (t) => {
  const { url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const eve = await register(url, 'eve@example.com')
  const { id, key } = await mintKey(url, ada.jwt)
  const { id: tokenId } = await mintToken(url, ada.jwt)
  const path = `/v1/api-keys/${id}`
  assert.equal((await rotate(url, eve.jwt, path)).status, 404)
  assert.equal((await rotate(url, ada.jwt, `/v1/tokens/${id}`)).status, 404)
  assert.equal((await rotate(url, ada.jwt, `/v1/api-keys/${tokenId}`)).status, 404)
  assert.equal(codeOf(await rotate(url, key, path)), 'credential_not_accepted')
  const replies = await Promise.all(Array.from({ length: 5 }, () => rotate(url, ada.jwt, path)))
  assert.equal(replies.filter(({ status }) => status === 201).length, 1)
  for (const reply of replies.filter(({ status }) => status !== 201)) assert.equal(codeOf(reply), 'already_rotated')
  const successor = replies.find(({ status }) => status === 201)?.body
  assert.equal((await call(url, path, { method: 'DELETE', bearer: ada.jwt })).status, 204)
  assert.deepEqual([await statusOf(url, key), await statusOf(url, successor?.key)], [401, 200], 'the old one alone')
})
