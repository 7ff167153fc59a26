import assert from 'node:assert/strict'
import { test } from 'tap'
import { setOperator } from '../../../modules/admin/index.ts'
import { rateLimits } from '../../../spec/generated/index.ts'
import { startApp, type TestApp } from '../../build-app.ts'
import { call, codeOf, fieldsOf, mintKey, mintToken, register } from '../identity/client.ts'

const registerOperator = async ({ url, database }: TestApp) => {
  const { jwt, userId } = await register(url, 'operator@example.com')
  await setOperator(database.db, userId, true)
  return { jwt, userId }
}

const operatorOf = async (started: TestApp): Promise<string> => (await registerOperator(started)).jwt

const change = async (url: string, bearer: string, id: string, body: unknown) =>
  await call(url, `/api/v1/admin/partners/${id}`, { method: 'PATCH', bearer, body })

test('only operators can administer partners, and only while they are operators', async (t) => {
  const started = await startApp(t)
  const { url, database } = started
  const { jwt: operator, userId } = await registerOperator(started)
  const ada = await register(url, 'ada@example.com')
  const { key } = await mintKey(url, operator)
  const { token } = await mintToken(url, operator)
  for (const [method, path] of [
    ['GET', '/partners'],
    ['GET', `/partners/${ada.partnerId}`],
    ['PATCH', `/partners/${ada.partnerId}`]
  ] as const) {
    const attempt = async (bearer?: string) =>
      await call(url, `/api/v1/admin${path}`, {
        method,
        ...(bearer === undefined ? {} : { bearer }),
        ...(method === 'PATCH' ? { body: { production_enabled: true } } : {})
      })
    assert.equal((await attempt()).status, 401)
    assert.equal(codeOf(await attempt(ada.jwt)), 'operator_required')
    for (const bearer of [key, token]) assert.equal(codeOf(await attempt(bearer)), 'credential_not_accepted')
    assert.equal((await attempt(operator)).status, 200)
  }
  await setOperator(database.db, userId, false)
  assert.equal(codeOf(await call(url, '/api/v1/admin/partners', { bearer: operator })), 'operator_required')
})

test('a live key gets 402 until an operator enables its partner, and again once it is disabled', async (t) => {
  const started = await startApp(t)
  const { url } = started
  const operator = await operatorOf(started)
  const ada = await register(url, 'ada@example.com')
  const { key } = await mintKey(url, ada.jwt, 'live')
  const { token } = await mintToken(url, ada.jwt, { environment: 'live' })
  assert.match(key, /^afg_live_[A-Za-z0-9]{40}$/)
  const expectStatus = async (status: number) => {
    for (const bearer of [key, token]) assert.equal((await call(url, '/v1/activity', { bearer })).status, status)
  }
  assert.equal(codeOf(await call(url, '/v1/activity', { bearer: key })), 'production_not_enabled')
  await expectStatus(402)
  const enabled = await change(url, operator, ada.partnerId, { production_enabled: true })
  assert.equal(enabled.status, 200)
  assert.equal(enabled.body.production_enabled, true)
  await expectStatus(200)
  await change(url, operator, ada.partnerId, { production_enabled: false })
  await expectStatus(402)
})

test('new rate limits of a partner apply from its next request on, and not to other partners', async (t) => {
  const started = await startApp(t, { rateLimits })
  const { url } = started
  const operator = await operatorOf(started)
  const ada = await register(url, 'ada@example.com')
  const { key } = await mintKey(url, ada.jwt)
  const limitOf = async (bearer: string) =>
    (await call(url, '/v1/activity', { bearer })).headers.get('x-ratelimit-limit')
  assert.equal(await limitOf(key), '300')
  const overrides = { read: 7, write: 4 }
  const changed = await change(url, operator, ada.partnerId, { rate_overrides: overrides })
  assert.deepEqual(changed.body.rate_overrides, overrides)
  assert.equal(changed.body.production_enabled, false)
  assert.equal(await limitOf(key), '7')
  assert.equal(await limitOf(operator), '300')
  await change(url, operator, ada.partnerId, { rate_overrides: {} })
  assert.equal(await limitOf(key), '300')
})

test('an invalid change is rejected with every invalid field, and an unknown partner gets 404', async (t) => {
  const started = await startApp(t)
  const { url } = started
  const operator = await operatorOf(started)
  const ada = await register(url, 'ada@example.com')
  const wrong = await change(url, operator, ada.partnerId, {
    production_enabled: 'yes',
    rate_overrides: { fast: 1 },
    name: 'x'
  })
  assert.deepEqual(fieldsOf(wrong), ['body/name', 'body/production_enabled', 'body/rate_overrides/fast'])
  assert.equal((await change(url, operator, ada.partnerId, { rate_overrides: { read: -1 } })).status, 400)
  assert.equal((await change(url, operator, ada.partnerId, { rate_overrides: { read: { ceiling: 1 } } })).status, 400)
  assert.equal((await change(url, operator, ada.partnerId, {})).status, 400)
  assert.equal(codeOf(await change(url, operator, 'unknown', { production_enabled: true })), 'not_found')
  assert.equal(codeOf(await call(url, '/api/v1/admin/partners/unknown', { bearer: operator })), 'not_found')
})

test('an operator appoints a furnisher and withdraws that, and changes nothing else', async (t) => {
  const started = await startApp(t)
  const { url } = started
  const operator = await operatorOf(started)
  const ada = await register(url, 'ada@example.com')
  await change(url, operator, ada.partnerId, { production_enabled: true, rate_overrides: { read: 5 } })
  for (const furnisher of [true, false]) {
    const { status, body } = await change(url, operator, ada.partnerId, { furnisher })
    assert.deepEqual(
      [status, body.furnisher, body.production_enabled, body.rate_overrides],
      [200, furnisher, true, { read: 5 }]
    )
  }
})

test('partners are listed newest first, page by page, with their owners', async (t) => {
  const started = await startApp(t)
  const { url, clock } = started
  const operator = await operatorOf(started)
  clock.advance(1000)
  const ada = await register(url, 'ada@example.com')
  const page = await call(url, '/api/v1/admin/partners?limit=1', { bearer: operator })
  assert.deepEqual(page.body.items, [
    {
      id: ada.partnerId,
      name: 'ada@example.com',
      production_enabled: false,
      furnisher: false,
      rate_overrides: {},
      owner_email: 'ada@example.com',
      created_at: '2026-06-14T18:00:01.000Z'
    }
  ])
  const rest = await call(
    url,
    `/api/v1/admin/partners?limit=1&cursor=${encodeURIComponent(String(page.body.nextCursor))}`,
    { bearer: operator }
  )
  assert.deepEqual(
    (rest.body.items as { owner_email: string }[]).map(({ owner_email }) => owner_email),
    ['operator@example.com']
  )
  assert.equal(rest.body.nextCursor, null)
  assert.deepEqual(
    (await call(url, `/api/v1/admin/partners/${ada.partnerId}`, { bearer: operator })).body,
    (page.body.items as unknown[])[0]
  )
})
