import assert from 'node:assert/strict'
import { test } from 'tap'
import { mintCredential } from '../../../plugins/access/credentials.ts'
import { startApp } from '../../build-app.ts'
import { call, codeOf, fieldsOf, mintKey, mintToken, register } from './client.ts'

test('a key is shown once, works in both headers, and is listed with its last use, without its secret', async (t) => {
  const { url, database, clock } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const { id, key } = await mintKey(url, jwt)
  assert.match(key, /^afg_test_[A-Za-z0-9]{40}$/)
  clock.advance(60_000)
  assert.equal((await call(url, '/v1/activity', { bearer: key })).status, 200)
  assert.equal((await call(url, '/v1/activity', { headers: { 'x-api-key': key } })).status, 200)
  assert.equal((await call(url, '/v1/activity', { headers: { 'x-api-key': `${key}x` } })).status, 401)
  const list = await call(url, '/v1/api-keys', { bearer: jwt })
  assert.deepEqual(list.body, {
    items: [
      {
        id,
        name: 'Backend',
        environment: 'test',
        scopes: null,
        prefix: `afg_test_…${key.slice(-4)}`,
        created_at: '2026-06-14T18:00:00.000Z',
        expires_at: null,
        last_used_at: '2026-06-14T18:01:00.000Z'
      }
    ],
    nextCursor: null
  })
  const stored = JSON.stringify(await database.db.selectFrom('credentials').selectAll().execute())
  assert.ok(!stored.includes(key.slice(-30)), 'the secret is not in the database')
})

test('a revoked key, token or session is rejected at once', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const { id, key } = await mintKey(url, jwt)
  const { id: tokenId, token } = await mintToken(url, jwt)
  for (const [path, bearer] of [
    [`/v1/api-keys/${id}`, key],
    [`/v1/tokens/${tokenId}`, token]
  ] as const) {
    assert.equal((await call(url, '/v1/activity', { bearer })).status, 200)
    assert.equal((await call(url, path, { method: 'DELETE', bearer: jwt })).status, 204)
    assert.equal((await call(url, '/v1/activity', { bearer })).status, 401)
    assert.equal((await call(url, path, { method: 'DELETE', bearer: jwt })).status, 404)
  }
  assert.deepEqual((await call(url, '/v1/tokens', { bearer: jwt })).body.items, [])
})

test('credentials of other partners return 404', async (t) => {
  const { url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const eve = await register(url, 'eve@example.com')
  const { id, key } = await mintKey(url, ada.jwt)
  const { id: tokenId, token } = await mintToken(url, ada.jwt)
  for (const path of [`/v1/api-keys/${id}`, `/v1/tokens/${tokenId}`, `/v1/api-keys/${tokenId}`, `/v1/tokens/${id}`]) {
    assert.equal(codeOf(await call(url, path, { method: 'DELETE', bearer: eve.jwt })), 'not_found')
  }
  assert.deepEqual(fieldsOf(await call(url, '/v1/api-keys/%00', { method: 'DELETE', bearer: eve.jwt })), ['params/id'])
  for (const path of ['/v1/api-keys', '/v1/tokens', '/v1/activity'])
    assert.deepEqual((await call(url, path, { bearer: eve.jwt })).body.items, [])
  for (const bearer of [key, token]) assert.equal((await call(url, '/v1/activity', { bearer })).status, 200)
})

test('a token is listed as it was minted, and stops working at its expiry', async (t) => {
  const { url, clock } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const body = {
    name: ' CI ',
    scopes: ['activity:read', 'tasks:write'],
    allowedIps: ['127.0.0.0/8'],
    expiresAt: '2026-06-14T20:00:00+01:00'
  }
  const minted = await call(url, '/v1/tokens', { method: 'POST', bearer: jwt, body })
  assert.equal(minted.status, 201, minted.text)
  const { token, ...described } = minted.body
  assert.match(String(token), /^atlas_pat_[A-Za-z0-9]{40}$/)
  assert.deepEqual(
    { ...described, id: '' },
    {
      ...body,
      id: '',
      name: 'CI',
      environment: 'test',
      prefix: `atlas_pat_…${String(token).slice(-4)}`,
      createdAt: '2026-06-14T18:00:00.000Z',
      expiresAt: '2026-06-14T19:00:00.000Z',
      lastUsedAt: null
    }
  )
  assert.deepEqual((await call(url, '/v1/tokens', { bearer: jwt })).body.items, [described])
  clock.advance(3_600_000 - 1)
  assert.equal((await call(url, '/v1/activity', { bearer: String(token) })).status, 200)
  clock.advance(1)
  assert.equal((await call(url, '/v1/activity', { bearer: String(token) })).status, 401)
})

test('an invalid token or key is rejected with every invalid field', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const mint = async (body: unknown) => await call(url, '/v1/tokens', { method: 'POST', bearer: jwt, body })
  assert.deepEqual(fieldsOf(await mint({ scopes: ['everything:read'], environment: 'prod', userId: 'x' })), [
    'body/environment',
    'body/name',
    'body/scopes/0',
    'body/userId'
  ])
  const scopes = ['tasks:read']
  const wrong = await mint({
    name: 'a',
    scopes,
    allowedIps: ['10.0.0.300', '10.0.0.0/8', '10.1', '::1/129', 'localhost', '::1'],
    expiresAt: '2026-06-14T18:00:00Z'
  })
  assert.equal(wrong.status, 400)
  assert.deepEqual(fieldsOf(wrong), [
    'body/allowedIps/0',
    'body/allowedIps/2',
    'body/allowedIps/3',
    'body/allowedIps/4',
    'body/expiresAt'
  ])
  assert.deepEqual(fieldsOf(await mint({ name: 'a', scopes, expiresAt: 'tomorrow' })), ['body/expiresAt'])
  const key = await call(url, '/v1/api-keys', {
    method: 'POST',
    bearer: jwt,
    body: { name: 'a\u0000', environment: 'both' }
  })
  assert.deepEqual(fieldsOf(key), ['body/environment', 'body/name'])
})

test('a token without a scope gets a problem that names it, and no token can create tokens', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const { token } = await mintToken(url, jwt, { scopes: ['tasks:read', 'tokens:write'] })
  const refused = await call(url, '/v1/activity', { bearer: token })
  assert.equal(refused.status, 403)
  assert.equal(codeOf(refused), 'insufficient_scope')
  assert.equal(refused.body.missingScope, 'activity:read')
  assert.equal(
    codeOf(
      await call(url, '/v1/tokens', { method: 'POST', bearer: token, body: { name: 'a', scopes: ['tasks:read'] } })
    ),
    'credential_not_accepted'
  )
})

test('a token bound to addresses works only from these, both single addresses and ranges', async (t) => {
  const { url } = await startApp(t, { env: { ATLAS_TRUST_PROXY: 'true' } })
  const { jwt } = await register(url, 'ada@example.com')
  const { token } = await mintToken(url, jwt, { allowedIps: ['203.0.113.7', '198.51.100.0/24', '2001:db8::/32'] })
  const from = async (address: string) =>
    await call(url, '/v1/activity', { bearer: token, headers: { 'x-forwarded-for': address } })
  for (const address of ['203.0.113.7', '198.51.100.255', '::ffff:198.51.100.1', '2001:db8:1::1'])
    assert.equal((await from(address)).status, 200, address)
  const mapped = await mintToken(url, jwt, { allowedIps: ['::ffff:10.0.0.0/104', '::ffff:192.0.2.1'] })
  for (const [address, status] of [
    ['10.255.0.1', 200],
    ['192.0.2.1', 200],
    ['11.0.0.1', 403]
  ] as const) {
    const { bearer, headers } = { bearer: mapped.token, headers: { 'x-forwarded-for': address } }
    assert.equal((await call(url, '/v1/activity', { bearer, headers })).status, status, `${address}, mapped to IPv6`)
  }
  for (const address of ['203.0.113.8', '198.51.101.0', '2001:db9::1']) {
    const refused = await from(address)
    assert.equal(refused.status, 403, address)
    assert.equal(codeOf(refused), 'pat_ip_blocked')
    assert.match(String(refused.body.type), /\/errors\/pat-ip-blocked$/)
  }
})

test('deleting a user invalidates their tokens and sessions', async (t) => {
  const { url, database } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const { token } = await mintToken(url, ada.jwt)
  await database.db.deleteFrom('users').where('id', '=', ada.userId).execute()
  assert.equal((await call(url, '/v1/activity', { bearer: token })).status, 401)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: ada.jwt })).status, 401)
})

test('an agent has one key at a time', async (t) => {
  const { database, clock } = await startApp(t)
  const mint = async () =>
    await database.db.transaction().execute(
      async (trx) =>
        await mintCredential(trx, {
          kind: 'agent_key',
          agentId: 'agent_1',
          partnerId: null,
          name: 'Agent',
          now: clock.now()
        })
    )
  const { secret, credential } = await mint()
  assert.match(secret, /^afg_live_[A-Za-z0-9]{40}$/)
  const stored = await database.db
    .selectFrom('credentials')
    .select('agent_id')
    .where('id', '=', credential.id)
    .executeTakeFirstOrThrow()
  assert.equal(stored.agent_id, 'agent_1')
  await assert.rejects(mint())
})

test('keys are listed newest first, page by page, each once', async (t) => {
  const { url, clock } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const minted: string[] = []
  for (let index = 0; index < 7; index++) {
    if (index % 3 === 0) clock.advance(1)
    minted.push((await mintKey(url, jwt)).id)
  }
  const seen: string[] = []
  for (let query = '?limit=2'; query !== '';) {
    const { body } = await call(url, `/v1/api-keys${query}`, { bearer: jwt })
    seen.push(...(body.items as { id: string }[]).map(({ id }) => id))
    query = body.nextCursor === null ? '' : `?limit=2&cursor=${encodeURIComponent(String(body.nextCursor))}`
  }
  assert.deepEqual([...seen].sort(), [...minted].sort())
  assert.equal(minted.indexOf(seen[0] ?? ''), 6)
})
