import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { rateLimits } from '../../../spec/generated/index.ts'
import { startApp } from '../../build-app.ts'
import { search } from '../../search.ts'
import { call, codeOf, fieldsOf, login, mintKey, password, refresh, register } from './client.ts'

test('a user can change only the name', async (t) => {
  const { url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const changed = await call(url, '/api/v1/users/me', {
    method: 'PATCH',
    bearer: ada.jwt,
    body: { name: ' Ada King ' }
  })
  assert.equal(changed.status, 200)
  assert.equal(changed.body.name, 'Ada King')
  assert.deepEqual((await call(url, '/api/v1/users/me', { bearer: ada.jwt })).body, changed.body)
  const wrong = await call(url, '/api/v1/users/me', {
    method: 'PATCH',
    bearer: ada.jwt,
    body: { role: 'owner', email: 'eve@example.com' }
  })
  assert.deepEqual(fieldsOf(wrong), ['body/email', 'body/name', 'body/role'])
})

test('a password change ends every other session, and the old password no longer signs in', async (t) => {
  const { url } = await startApp(t)
  const here = await register(url, 'ada@example.com')
  const there = await login(url, 'ada@example.com')
  const change = async (current: string, next: string) =>
    await call(url, '/api/v1/users/me/password', {
      method: 'PUT',
      bearer: here.jwt,
      body: { current_password: current, new_password: next }
    })
  assert.equal(codeOf(await change('not the password', 'an even better horse')), 'invalid_credentials')
  assert.deepEqual(fieldsOf(await change(password, 'short')), ['body/new_password'])
  assert.equal((await call(url, '/api/v1/users/me', { bearer: there.jwt })).status, 200)
  assert.equal((await change(password, 'an even better horse')).status, 204)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: there.jwt })).status, 401)
  assert.equal((await refresh(url, there.refresh)).status, 401)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: here.jwt })).status, 200)
  const signIn = async (tried: string) =>
    await call(url, '/api/v1/auth/login', { method: 'POST', body: { email: here.email, password: tried } })
  assert.equal((await signIn(password)).status, 401)
  assert.equal((await signIn('an even better horse')).status, 200)
})

test('one of two concurrent password changes wins, and no session from the old password survives it', async (t) => {
  const { url } = await startApp(t)
  const { jwt, email } = await register(url, 'ada@example.com')
  const change = (next: string) =>
    call(url, '/api/v1/users/me/password', {
      method: 'PUT',
      bearer: jwt,
      body: { current_password: password, new_password: next }
    })
  const signIn = (tried: string) =>
    call(url, '/api/v1/auth/login', { method: 'POST', body: { email, password: tried } })
  const nexts = ['an even better horse', 'a horse of another colour']
  const changes = nexts.map(change)
  const signIns = Array.from({ length: 6 }, () => signIn(password))
  const statuses = (await Promise.all(changes)).map(({ status }) => status)
  assert.deepEqual([...statuses].sort(), [204, 401])
  for (const { status, body } of await Promise.all(signIns)) {
    assert.ok(status === 200 || status === 401)
    if (status === 200)
      assert.equal((await call(url, '/api/v1/users/me', { bearer: String(body.access_token) })).status, 401)
  }
  assert.equal((await signIn(nexts[statuses.indexOf(204)] ?? '')).status, 200)
  assert.equal((await signIn(password)).status, 401)
})

test('a stolen access token cannot guess the password faster than ten times a minute', async (t) => {
  const { url } = await startApp(t, { rateLimits })
  const ada = await register(url, 'ada@example.com')
  const guess = async () =>
    await call(url, '/api/v1/users/me/password', {
      method: 'PUT',
      bearer: ada.jwt,
      body: { current_password: 'a guess', new_password: 'an even better horse' }
    })
  const statuses = []
  for (let tries = 0; tries < 11; tries++) statuses.push((await guess()).status)
  assert.deepEqual(statuses, [...Array<number>(10).fill(401), 429])
})

test('preferences are stored unchanged, whatever JSON they contain', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const path = '/api/v1/users/me/preferences'
  assert.deepEqual((await call(url, path, { bearer: jwt })).body, {})
  const storable = fc
    .dictionary(fc.string({ minLength: 1, unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }), {
      maxKeys: 20
    })
    .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
    .filter((value) => !JSON.stringify(value).includes('__proto__') && !JSON.stringify(value).includes('\\u0000'))
  await fc.assert(
    fc.asyncProperty(storable, async (preferences) => {
      const stored = await call(url, path, { method: 'PUT', bearer: jwt, body: preferences })
      assert.equal(stored.status, 200, stored.text)
      assert.deepEqual(stored.body, preferences)
      assert.deepEqual((await call(url, path, { bearer: jwt })).body, preferences)
    }),
    search(40)
  )
})

test('preferences with text that the database cannot store, or above 16 KiB, are rejected by name', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const put = async (body: unknown) =>
    await call(url, '/api/v1/users/me/preferences', { method: 'PUT', bearer: jwt, body })
  assert.equal((await put({ a: 'x'.repeat(16 * 1024 - 8) })).status, 200)
  for (const [bad, field] of [
    [{ a: 'x'.repeat(16 * 1024 - 7) }, 'body'],
    [{ a: 'é'.repeat(8_189) }, 'body'],
    [{ a: '\u0000' }, 'body/a'],
    [{ '\\\u0000': 1 }, 'body/\\\ufffd'],
    [{ a: '\ud800' }, 'body/a']
  ] as const) {
    const refused = await put(bad)
    assert.equal(refused.status, 400, refused.text)
    assert.deepEqual(fieldsOf(refused), [field])
  }
  for (const fine of [{ a: '\\u0000' }, { a: '\\\\u0000' }, { a: '😀' }]) assert.deepEqual((await put(fine)).body, fine)
  assert.equal((await put([1])).status, 400)
  assert.equal((await put({ a: Array(30_000).fill({}) })).body.error, 'body_too_large')
})

test('sessions are listed newest first, page by page, and each can be ended at once', async (t) => {
  const { url, clock } = await startApp(t)
  const first = await register(url, 'ada@example.com')
  const eve = await register(url, 'eve@example.com')
  clock.advance(1000)
  const second = await login(url, 'ada@example.com')
  const third = await login(url, 'ada@example.com')
  const list = async (query = '') => await call(url, `/api/v1/users/me/sessions${query}`, { bearer: third.jwt })
  const items = (await list()).body.items as Record<string, unknown>[]
  assert.equal(items.length, 3)
  assert.deepEqual(items.map(({ current }) => current).sort(), [false, false, true])
  assert.equal(items[2]?.created_at, '2026-06-14T18:00:00.000Z')
  assert.equal(items[2]?.expires_at, '2026-06-21T18:00:00.000Z')
  assert.equal(items[2]?.ip, '127.0.0.1')
  const paged: unknown[] = []
  for (let query = '?limit=1'; query !== '';) {
    const { body } = await list(query)
    paged.push(...(body.items as unknown[]))
    query = body.nextCursor === null ? '' : `?limit=1&cursor=${encodeURIComponent(String(body.nextCursor))}`
  }
  assert.deepEqual(paged, items)
  assert.equal(codeOf(await list('?cursor=made-up')), 'invalid_cursor')
  const end = async (jwt: string, id: unknown) =>
    await call(url, `/api/v1/users/me/sessions/${String(id)}`, { method: 'DELETE', bearer: jwt })
  assert.equal((await end(eve.jwt, items[2]?.id)).status, 404, 'another user has no such session')
  assert.equal((await call(url, '/api/v1/users/me', { bearer: first.jwt })).status, 200)
  assert.equal((await end(third.jwt, items[2]?.id)).status, 204)
  assert.equal((await end(third.jwt, items[2]?.id)).status, 404)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: first.jwt })).status, 401)
  assert.equal((await refresh(url, first.refresh)).status, 401)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: second.jwt })).status, 200)
})

test('keys cannot access a user’s profile and sessions', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  const { key } = await mintKey(url, jwt)
  for (const path of [
    '/api/v1/users/me',
    '/api/v1/users/me/preferences',
    '/api/v1/users/me/sessions',
    '/v1/api-keys',
    '/v1/tokens'
  ]) {
    assert.equal((await call(url, path)).status, 401)
    assert.equal(codeOf(await call(url, path, { bearer: key })), 'credential_not_accepted')
  }
})
