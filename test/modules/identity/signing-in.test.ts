import assert from 'node:assert/strict'
import { SignJWT, UnsecuredJWT } from 'jose'
import { test } from 'tap'
import { rateLimits } from '../../../spec/generated/index.ts'
import { startApp } from '../../build-app.ts'
import { call, codeOf, fieldsOf, login, password, refresh, refreshOf, register, signedInOf } from './client.ts'

const week = 7 * 24 * 3_600_000

test("signing up returns an access token and a strict httpOnly cookie, and creates the user's partner", async (t) => {
  const { url } = await startApp(t)
  const reply = await call(url, '/api/v1/auth/register', {
    method: 'POST',
    body: { email: '  Ada@Example.com ', password, name: ' Ada ' }
  })
  assert.equal(reply.status, 201)
  const user = reply.body.user as Record<string, string>
  assert.equal(reply.body.token_type, 'Bearer')
  assert.equal(reply.body.expires_in, 900)
  assert.deepEqual(
    { ...user, id: '', partner_id: '' },
    {
      id: '',
      partner_id: '',
      email: 'Ada@Example.com',
      email_verified: false,
      name: 'Ada',
      phone: null,
      role: 'owner'
    }
  )
  assert.match(user.id ?? '', /^[0-9a-f-]{36}$/)
  const [cookie = '', ...others] = reply.headers.getSetCookie()
  assert.equal(others.length, 1, 'the other cookie is that of the device')
  assert.match(cookie, /^atlas_refresh=[A-Za-z0-9]{48};/)
  for (const attribute of ['Max-Age=604800', 'Path=/api/v1/auth', 'HttpOnly', 'SameSite=Strict'])
    assert.ok(cookie.includes(`; ${attribute}`), cookie)
  assert.ok(!cookie.includes('Secure'))
  const me = await call(url, '/api/v1/users/me', { bearer: String(reply.body.access_token) })
  assert.deepEqual(me.body, user)
})

test('an address belongs to one user in any capitalisation, even under concurrent sign-ups', async (t) => {
  const { url, database } = await startApp(t)
  const tries = Array.from({ length: 20 }, (_, index) =>
    call(url, '/api/v1/auth/register', {
      method: 'POST',
      body: { email: index % 2 === 0 ? 'ada@example.com' : 'ADA@Example.com', password }
    })
  )
  const replies = await Promise.all(tries)
  assert.equal(replies.filter(({ status }) => status === 201).length, 1)
  for (const reply of replies.filter(({ status }) => status !== 201)) assert.equal(codeOf(reply), 'email_taken')
  assert.equal((await database.db.selectFrom('partners').select('id').execute()).length, 1)
})

test('an invalid registration is rejected with every invalid field', async (t) => {
  const { url } = await startApp(t)
  const attempt = async (body: unknown) => await call(url, '/api/v1/auth/register', { method: 'POST', body })
  const wrong = await attempt({ email: 'ada', password: 'short', name: ' ', admin: true })
  assert.equal(codeOf(wrong), 'validation_failed')
  assert.deepEqual(fieldsOf(wrong), ['body/admin', 'body/email', 'body/name', 'body/password'])
  assert.deepEqual(fieldsOf(await attempt({})), ['body/email', 'body/password'])
  assert.deepEqual(fieldsOf(await attempt({ email: 'a\u0000@b.example', password: 'x'.repeat(1025) })), [
    'body/email',
    'body/password'
  ])
  assert.equal((await attempt({ email: 'b@b.example', password: `${'x'.repeat(1023)}y` })).status, 201)
})

test('a wrong password and an unknown address get the same response', async (t) => {
  const { url } = await startApp(t)
  await register(url, 'ada@example.com')
  const attempt = async (email: string, tried: string) =>
    await call(url, '/api/v1/auth/login', { method: 'POST', body: { email, password: tried } })
  const [wrong, unknown] = [
    await attempt('ada@example.com', 'not the password'),
    await attempt('eve@example.com', password)
  ]
  assert.equal(codeOf(wrong), 'invalid_credentials')
  assert.equal(wrong.status, 401)
  assert.deepEqual({ ...wrong.body, requestId: '' }, { ...unknown.body, requestId: '' })
  assert.equal((await attempt(' ADA@example.com ', password)).status, 200)
})

test('a refresh replaces the token, and reusing the old one later ends the session for all holders', async (t) => {
  const { url, clock } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const other = await login(url, 'ada@example.com')
  const first = await refresh(url, ada.refresh)
  assert.equal(first.status, 200)
  assert.notEqual(refreshOf(first), ada.refresh)
  clock.advance(10_001)
  const reused = await refresh(url, ada.refresh)
  assert.equal(reused.status, 401)
  assert.equal(codeOf(reused), 'unauthorized')
  assert.match(reused.headers.getSetCookie()[0] ?? '', /^atlas_refresh=; Max-Age=0;/)
  assert.equal((await refresh(url, refreshOf(first))).status, 401, 'the successor is revoked with its family')
  assert.equal((await call(url, '/api/v1/users/me', { bearer: signedInOf(first).jwt })).status, 401)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: other.jwt })).status, 200, 'other sessions continue')
})

test('two tabs that refresh concurrently get the same new cookie, which keeps working', async (t) => {
  const { url, clock } = await startApp(t)
  let { refresh: token } = await register(url, 'ada@example.com')
  for (let round = 0; round < 3; round++) {
    const tabs = await Promise.all([refresh(url, token), refresh(url, token)])
    assert.deepEqual(
      tabs.map(({ status }) => status),
      [200, 200]
    )
    assert.equal(refreshOf(tabs[0]), refreshOf(tabs[1]))
    for (const tab of tabs)
      assert.equal((await call(url, '/api/v1/users/me', { bearer: signedInOf(tab).jwt })).status, 200)
    token = refreshOf(tabs[0])
    clock.advance(60_000)
  }
  const first = await refresh(url, token)
  clock.advance(10_000)
  const late = await refresh(url, token)
  assert.deepEqual([late.status, refreshOf(late)], [200, refreshOf(first)], 'ten seconds later')
})

test('a used refresh token is accepted one more time, and only until its successor is used', async (t) => {
  const { url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(url, ada.refresh)))
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 200, 401, 401, 401, 401, 401, 401])
  const successors = new Set(replies.filter(({ status }) => status === 200).map(refreshOf))
  assert.equal(successors.size, 1)
  assert.equal((await refresh(url, [...successors][0] ?? '')).status, 401, 'the family is revoked')
  const other = await login(url, 'ada@example.com')
  const second = refreshOf(await refresh(url, other.refresh))
  const third = refreshOf(await refresh(url, second))
  assert.equal((await refresh(url, other.refresh)).status, 401)
  assert.equal((await refresh(url, third)).status, 401, 'the family is revoked')
})

test('a session ends seven days after its last refresh', async (t) => {
  const { url, clock } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  clock.advance(week - 1000)
  const renewed = await refresh(url, ada.refresh)
  assert.equal(renewed.status, 200)
  clock.advance(week - 1000)
  const again = await refresh(url, refreshOf(renewed))
  assert.equal(again.status, 200)
  clock.advance(week)
  assert.equal((await refresh(url, refreshOf(again))).status, 401)
})

test('refreshing and signing out reject a missing or unknown cookie', async (t) => {
  const { url } = await startApp(t)
  for (const action of ['refresh', 'logout']) {
    const withoutUse: Record<string, string>[] = [
      {},
      { cookie: 'atlas_refresh=' },
      { cookie: 'atlas_refresh=made-up' },
      { cookie: 'atlas_refresh=%00' }
    ]
    for (const headers of withoutUse) {
      assert.equal((await call(url, `/api/v1/auth/${action}`, { method: 'POST', headers })).status, 401)
    }
  }
})

test('signing out ends the session at once and can be repeated', async (t) => {
  const { url } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  for (let time = 1; time <= 2; time++) {
    const out = await call(url, '/api/v1/auth/logout', {
      method: 'POST',
      headers: { cookie: `atlas_refresh=${ada.refresh}` }
    })
    assert.equal(out.status, 204)
    assert.match(out.headers.getSetCookie()[0] ?? '', /Max-Age=0/)
    assert.equal((await call(url, '/api/v1/users/me', { bearer: ada.jwt })).status, 401)
    assert.equal((await refresh(url, ada.refresh)).status, 401)
  }
})

test('a forged, unsigned or expired access token, or one of an unknown session, is rejected', async (t) => {
  const { url, clock, config } = await startApp(t)
  const ada = await register(url, 'ada@example.com')
  const [, payload = ''] = ada.jwt.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string>
  assert.deepEqual(Object.keys(claims).sort(), ['exp', 'iat', 'partner_id', 'sid', 'sub'])
  assert.equal(Number(claims.exp) - Number(claims.iat), 900)
  const sign = async (key: Buffer, alg = 'HS256', more = {}) =>
    await new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg }).sign(key)
  const forged = [
    await sign(Buffer.alloc(32, 1)),
    await sign(Buffer.concat([config.jwtSecret, config.jwtSecret]), 'HS512'),
    await sign(config.jwtSecret, 'HS256', { sid: 'ses_made_up' }),
    new UnsecuredJWT(claims).encode(),
    `${ada.jwt}x`,
    'not.a.jwt'
  ]
  for (const bearer of forged) assert.equal((await call(url, '/api/v1/users/me', { bearer })).status, 401)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: await sign(config.jwtSecret) })).status, 200)
  clock.advance(899_000)
  assert.equal((await call(url, '/api/v1/users/me', { bearer: ada.jwt })).status, 200)
  clock.advance(1_000)
  const late = await call(url, '/api/v1/users/me', { bearer: ada.jwt })
  assert.equal(late.status, 401)
  assert.equal(late.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

test('one address gets ten attempts for one account, and other accounts are not affected', async (t) => {
  // A window so long that it does not end during the test.
  const limits = { ...rateLimits, auth: { limit: 10, windowSeconds: 3600 } }
  const { url } = await startApp(t, { rateLimits: limits })
  const attempt = async (email: string) =>
    await call(url, '/api/v1/auth/login', { method: 'POST', body: { email, password } })
  for (let tries = 0; tries < 10; tries++)
    assert.equal((await attempt(tries % 2 === 0 ? 'ada@example.com' : ' Ada@Example.com')).status, 401)
  const refused = await attempt('ada@example.com')
  assert.equal(codeOf(refused), 'rate_limited')
  const retryAfter = Number(refused.headers.get('retry-after'))
  assert.ok(retryAfter > 0 && retryAfter <= 3600, String(retryAfter))
  assert.equal(refused.headers.get('x-ratelimit-limit'), '10')
  assert.equal((await attempt('eve@example.com')).status, 401)
  assert.equal((await attempt('ada@example.com')).status, 429)
})

test('in production the cookie is sent only over TLS', async (t) => {
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://unused@localhost/unused',
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    ATLAS_JWT_SECRET: 'a secret of the tests that is long enough'
  }
  const { url } = await startApp(t, { env: { ...env, HOST: '127.0.0.1', LOG_LEVEL: 'silent' } })
  const reply = await call(url, '/api/v1/auth/register', {
    method: 'POST',
    body: { email: 'ada@example.com', password }
  })
  assert.equal(reply.status, 201)
  assert.match(reply.headers.getSetCookie()[0] ?? '', /; Secure/)
})
