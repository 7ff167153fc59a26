import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { call, codeOf, login, mintKey, mintToken, register } from './client.ts'

const mint = async (
  url: string,
  bearer: string,
  key: string,
  body: unknown = { name: 'Backend', environment: 'test' },
  path = '/v1/api-keys'
) => await call(url, path, { method: 'POST', bearer, body, headers: { 'idempotency-key': key } })

test('minting again with the same idempotency key returns the same secret, and mints nothing', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const first = await mint(url, jwt, 'once')
  const again = await mint(url, jwt, 'once')
  assert.equal(first.headers.get('idempotent-replayed'), null)
  assert.equal(again.text, first.text)
  assert.equal(again.status, 201)
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.equal(again.headers.get('idempotency-mismatch'), null)
  const otherBody = await mint(url, jwt, 'once', { name: 'Another', environment: 'live' })
  assert.equal(otherBody.text, first.text)
  assert.equal(otherBody.headers.get('idempotency-mismatch'), 'body')
  assert.equal(
    codeOf(await mint(url, jwt, 'once', { name: 'a', scopes: ['tasks:read'] }, '/v1/tokens')),
    'idempotency_conflict'
  )
  const items = (await call(url, '/v1/api-keys', { bearer: jwt })).body.items as unknown[]
  assert.equal(items.length, 1)
})

test('fifty parallel mints with one idempotency key create one key', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const replies = await Promise.all(Array.from({ length: 50 }, () => mint(url, jwt, 'once')))
  const made = new Set<string>()
  for (const reply of replies) {
    if (reply.status === 201) made.add(reply.text)
    else assert.equal(codeOf(reply), 'idempotency_in_flight')
  }
  assert.equal(made.size, 1)
  assert.equal(((await call(url, '/v1/api-keys', { bearer: jwt })).body.items as unknown[]).length, 1)
})

test('a client can read a lost response for 24 hours, and only within its own partner', async (t) => {
  const { url, clock } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const eve = await register(url, 'eve@example.com')
  const minted = await mint(url, ada.jwt, 'lost/answer?')
  const ask = async (bearer: string, key = 'lost/answer?') =>
    await call(url, `/v1/idempotency/${encodeURIComponent(key)}`, { bearer })
  assert.deepEqual((await ask(ada.jwt)).body, {
    status: 'done',
    operationId: 'createApiKey',
    responseStatus: 201,
    response: minted.body,
    createdAt: '2026-06-14T18:00:00.000Z',
    expiresAt: '2026-06-15T18:00:00.000Z'
  })
  assert.equal(codeOf(await ask(eve.jwt)), 'not_found')
  assert.equal(codeOf(await ask(ada.jwt, 'never')), 'not_found')
  await mint(url, ada.jwt, 'failed', { name: 'a' })
  assert.equal(codeOf(await ask(ada.jwt, 'failed')), 'not_found')
  clock.advance(24 * 3_600_000 - 1)
  const nextDay = await login(url, ada.email)
  assert.equal((await ask(nextDay.jwt)).status, 200)
  clock.advance(1)
  assert.equal((await ask(nextDay.jwt)).status, 404)
})

test('a running request is reported as in flight', async (t) => {
  const { app, url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const release = await app.idempotency.hold(`${ada.partnerId}:session:${ada.userId}`, 'running')
  assert.deepEqual((await call(url, '/v1/idempotency/running', { bearer: ada.jwt })).body, { status: 'in_flight' })
  assert.equal(codeOf(await mint(url, ada.jwt, 'running')), 'idempotency_in_flight')
  await release?.()
  assert.equal((await call(url, '/v1/idempotency/running', { bearer: ada.jwt })).status, 404)
})

test('a secret is not replayed to a credential that could not have made the request', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  await mint(url, jwt, 'once')
  const { key } = await mintKey(url, jwt)
  const { token } = await mintToken(url, jwt, { scopes: ['tokens:write', 'tokens:read', 'webhooks:read'] })
  for (const bearer of [key, token])
    assert.equal(codeOf(await call(url, '/v1/idempotency/once', { bearer })), 'not_found')
  const hook = { url: 'http://127.0.0.1:9/hooks', events: ['*'] }
  const created = await mint(url, key, 'hook', hook, '/v1/webhooks')
  assert.equal(created.status, 201)
  assert.equal(codeOf(await call(url, '/v1/idempotency/hook', { bearer: token })), 'insufficient_scope')
  assert.deepEqual((await call(url, '/v1/idempotency/hook', { bearer: key })).body.response, created.body)
  assert.deepEqual((await call(url, '/v1/idempotency/hook', { bearer: jwt })).body.response, created.body)
})

test('every change leaves one row in the activity log, and failed or replayed requests leave none', async (t) => {
  const { url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const changes: { operationId: string; method: string; route: string; resourceId: string | null }[] = []
  const note = (operationId: string, method: string, route: string, resourceId: string | null = null) =>
    changes.unshift({ operationId, method, route, resourceId })
  const { id } = await mintKey(url, ada.jwt)
  note('createApiKey', 'POST', '/v1/api-keys', id)
  const { id: tokenId, token } = await mintToken(url, ada.jwt)
  note('createToken', 'POST', '/v1/tokens', tokenId)
  await call(url, `/v1/api-keys/${id}`, { method: 'DELETE', bearer: ada.jwt })
  note('revokeApiKey', 'DELETE', '/v1/api-keys/{id}', id)
  await call(url, '/api/v1/users/me', {
    method: 'PATCH',
    bearer: ada.jwt,
    body: { name: 'Ada' },
    headers: { 'x-request-id': 'req_mine' }
  })
  note('updateProfile', 'PATCH', '/api/v1/users/me', ada.userId)
  await call(url, '/api/v1/users/me/preferences', { method: 'PUT', bearer: ada.jwt, body: { theme: 'dark' } })
  note('replacePreferences', 'PUT', '/api/v1/users/me/preferences')
  const minted = await mint(url, ada.jwt, 'once')
  await mint(url, ada.jwt, 'once')
  note('createApiKey', 'POST', '/v1/api-keys', String(minted.body.id))
  assert.equal((await call(url, `/v1/api-keys/${id}`, { method: 'DELETE', bearer: ada.jwt })).status, 404)
  assert.equal((await mint(url, ada.jwt, 'bad', {})).status, 400)
  assert.equal((await mint(url, token, 'refused')).status, 403)

  const log = await call(url, '/v1/activity', { bearer: token })
  const items = log.body.items as Record<string, unknown>[]
  assert.deepEqual(
    items.map(({ operationId, method, route, resourceId }) => ({ operationId, method, route, resourceId })),
    changes
  )
  for (const item of items) {
    assert.deepEqual(item.actor, { type: 'user', id: ada.userId })
    assert.equal(item.at, '2026-06-14T18:00:00.000Z')
    assert.equal(item.ip, '127.0.0.1')
  }
  assert.equal(items[2]?.requestId, 'req_mine')
  const paged: unknown[] = []
  for (let query = '?limit=4'; query !== '';) {
    const { body } = await call(url, `/v1/activity${query}`, { bearer: ada.jwt })
    paged.push(...(body.items as unknown[]))
    query = body.nextCursor === null ? '' : `?limit=4&cursor=${encodeURIComponent(String(body.nextCursor))}`
  }
  assert.deepEqual(paged, items)
})

test('activity is filtered by actor, operation and time, and a cursor is valid only with its filters', async (t) => {
  const { url, clock } = await startApp(t)
  const { jwt, userId } = await register(url, 'ada@example.com')
  const { key, id: keyId } = await mintKey(url, jwt)
  await mintToken(url, jwt)
  clock.advance(60_000)
  const project = { method: 'POST', bearer: key, body: { name: 'Quarterly close' } }
  for (let time = 0; time < 3; time++) assert.equal((await call(url, '/v1/projects', project)).status, 201)
  const read = async (query: string) => (await call(url, `/v1/activity?${query}`, { bearer: jwt })).body
  const operationsOf = async (query: string) =>
    ((await read(query)).items as { operationId: string }[]).map(({ operationId }) => operationId)
  const projects = ['createProject', 'createProject', 'createProject']
  assert.deepEqual(await operationsOf(`actor=${keyId}`), projects)
  assert.deepEqual(await operationsOf(`actor=${userId}`), ['createToken', 'createApiKey'])
  assert.deepEqual(await operationsOf('operation=createToken'), ['createToken'])
  assert.deepEqual(await operationsOf(`operation=createToken&actor=${keyId}`), [])
  assert.deepEqual(await operationsOf('from=2026-06-14T18:00:01Z'), projects)
  assert.deepEqual(await operationsOf('to=2026-06-14T18:00:01Z'), ['createToken', 'createApiKey'])
  assert.deepEqual(await operationsOf('to=2026-06-14'), [...projects, 'createToken', 'createApiKey'])
  const ids: string[] = []
  for (let cursor: unknown = ''; cursor !== null;) {
    const page = await read(`actor=${keyId}&limit=1&cursor=${String(cursor)}`)
    ids.push(...(page.items as { id: string }[]).map(({ id }) => id))
    cursor = page.nextCursor
  }
  assert.deepEqual([ids.length, new Set(ids).size], [3, 3])
  const { nextCursor } = await read(`actor=${keyId}&limit=1`)
  for (const other of ['', `actor=${userId}&`, `operation=${keyId.replace('_', '')}&`]) {
    const reply = await call(url, `/v1/activity?${other}cursor=${String(nextCursor)}`, { bearer: jwt })
    assert.equal(reply.status, 400, other)
  }
  for (const wrong of [
    'operation=dropTables',
    'operation=',
    'operation=toString',
    'actor=',
    'from=now',
    'to=2026-06-14T18:00',
    'from=2026-06-15&to=2026-06-14'
  ])
    assert.equal(codeOf(await call(url, `/v1/activity?${wrong}`, { bearer: jwt })), 'validation_failed', wrong)
})
