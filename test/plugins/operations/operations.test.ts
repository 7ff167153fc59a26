import assert from 'node:assert/strict'
import { test } from 'tap'
import { findTextFaults } from '../../../plugins/http/errors/text-faults.ts'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { bindNotes, createNotesTable } from '../notes.ts'

const start = async (t: Cleaner) => {
  const started = await startApp(t, { extend: (app) => bindNotes(app) })
  await createNotesTable.execute(started.database.db)
  const partner = await createPartner(started.database)
  return { ...started, partner, key: partner.testKey }
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }

test('JSON with curl’s default content type, or without one, is parsed as JSON', async (t) => {
  const { url, key } = await start(t)
  const underForm = await send(url, 'POST', '/test/notes', { key, body: '{"text": "a"}', headers: form })
  assert.deepEqual([underForm.status, underForm.body.text], [201, 'a'])
  const response = await fetch(`${url}/test/notes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: new Blob(['{"text": "b"}'])
  })
  assert.equal(response.status, 201)
})

test('a body of an unsupported type gets 415', async (t) => {
  const { url, key } = await start(t)
  const jsonToForm = await send(url, 'POST', '/test/decisions', { key, body: { request_id: 'x' } })
  assert.deepEqual([jsonToForm.status, jsonToForm.body.error], [415, 'unsupported_media_type'])
  const formToJson = await send(url, 'POST', '/test/notes', { key, body: 'text=a', headers: form })
  assert.equal(formToJson.status, 415)
  const xml = await send(url, 'POST', '/test/notes', {
    key,
    body: '<text/>',
    headers: { 'content-type': 'application/xml' }
  })
  assert.equal(xml.status, 415)
})

test('a form’s fields are coerced and validated', async (t) => {
  const { url, key } = await start(t)
  const good = await send(url, 'POST', '/test/decisions', { key, body: 'request_id=12', headers: form })
  assert.deepEqual(good.body, { request_id: 12 })
  const bad = await send(url, 'POST', '/test/decisions', { key, body: 'request_id=twelve', headers: form })
  assert.deepEqual([bad.status, bad.body.errors[0].path], [400, 'body/request_id'])
})

test('JSON is not coerced, and every invalid field is named', async (t) => {
  const { url, key } = await start(t)
  const { status, body, headers } = await send(url, 'POST', '/test/notes', {
    key,
    body: { amount: '25', colour: 'red' }
  })
  assert.equal(status, 400)
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.equal(body.error, 'validation_failed')
  assert.deepEqual(body.errors.map((error: { path: string }) => error.path).sort(), [
    'body/amount',
    'body/colour',
    'body/text'
  ])
})

test('an amount with more than two decimals is rejected, and any with up to two is accepted', async (t) => {
  const { url, key } = await start(t)
  for (const amount of [0.07, 4218.5, 1.1, 999_999_999.99, 8.29, 1450]) {
    assert.equal(
      (await send(url, 'POST', '/test/notes', { key, body: { text: 'a', amount } })).status,
      201,
      String(amount)
    )
  }
  for (const amount of [0.001, 25.005, 999_999.999, 1e-7]) {
    const { status, body } = await send(url, 'POST', '/test/notes', { key, body: { text: 'a', amount } })
    assert.deepEqual([status, body.errors?.[0].message], [400, 'must have at most two decimals'], String(amount))
  }
})

test('malformed JSON, and JSON that would change a prototype, gets 400', async (t) => {
  const { url, key } = await start(t)
  for (const body of ['{"text":', '{"__proto__": {"x": 1}, "text": "a"}', '[1', 'null']) {
    const response = await send(url, 'POST', '/test/notes', {
      key,
      body,
      headers: { 'content-type': 'application/json' }
    })
    assert.equal(response.status, 400, body)
  }
  const empty = await send(url, 'POST', '/test/notes', { key })
  assert.equal(empty.status, 400)
})

test('a body above the size limit gets 413', async (t) => {
  const { url, key } = await start(t)
  const { status, body } = await send(url, 'POST', '/test/notes', { key, body: { text: 'a'.repeat(1_200_000) } })
  assert.deepEqual([status, body.error], [413, 'body_too_large'])
})

test('an internal error leaks no internals, and its transaction is rolled back', async (t) => {
  const { url, key, database } = await start(t)
  const { status, text, body } = await send(url, 'POST', '/test/notes', { key, body: { text: 'crash' } })
  assert.deepEqual([status, body.error], [500, 'internal_error'])
  assert.ok(!text.includes('hunter2'))
  assert.equal((await database.db.selectFrom('activity').selectAll().execute()).length, 0)
})

test('every mutation by a credential leaves one activity row, in its own transaction', async (t) => {
  const { url, key, database, partner } = await start(t)
  const { body } = await send(url, 'POST', '/test/notes', {
    key,
    body: { text: 'a' },
    headers: { 'x-request-id': 'req_abc123' }
  })
  const rows = await database.db.selectFrom('activity').selectAll().execute()
  assert.equal(rows.length, 1)
  const { partner_id, actor_type, operation_id, method, route, resource_id, ip, request_id } = rows[0]!
  assert.deepEqual(
    { partner_id, actor_type, operation_id, method, route, resource_id, ip, request_id },
    {
      partner_id: partner.partnerId,
      actor_type: 'api_key',
      operation_id: 'createNote',
      method: 'POST',
      route: '/test/notes',
      resource_id: body.id,
      ip: '127.0.0.1',
      request_id: 'req_abc123'
    }
  )
})

test('a well-formed request id is kept, and anything else is replaced', async (t) => {
  const { url } = await start(t)
  const uuid = '0b9a3c1e-5d5f-4f0e-8d59-0a3f1f6b2f11'
  for (const [sent, kept] of [
    ['req_abc', true],
    [uuid, true],
    ['req_', false],
    ['<script>', false],
    ['req_a b', false],
    ['x'.repeat(200), false]
  ] as const) {
    const { headers, body } = await send(url, 'GET', '/nowhere', { headers: { 'x-request-id': sent } })
    assert.equal(headers.get('x-request-id') === sent, kept, sent)
    assert.equal(body.requestId, headers.get('x-request-id'))
  }
})

test('credentials, scopes, addresses and expiry are enforced as specified', async (t) => {
  const { url, partner, clock } = await start(t)
  const post = (key?: string, headers: Record<string, string> = {}) =>
    send(url, 'POST', '/test/notes', { ...(key === undefined ? {} : { key }), body: { text: 'a' }, headers })
  assert.equal((await post()).body.error, 'unauthorized')
  assert.equal((await post('afg_test_wrong')).body.error, 'unauthorized')
  assert.equal((await post('garbage')).body.error, 'unauthorized')
  assert.equal((await post(partner.testKey)).status, 201)
  assert.equal((await post(undefined, { 'x-api-key': partner.testKey })).status, 201)
  const live = await post(partner.liveKey)
  assert.deepEqual([live.status, live.body.error], [402, 'production_not_enabled'])
  const narrow = await post(await partner.token(['notes:read']))
  assert.deepEqual(
    [narrow.status, narrow.body.error, narrow.body.missingScope],
    [403, 'insufficient_scope', 'notes:write']
  )
  assert.equal((await post(await partner.token(['notes:write']))).status, 201)
  const blocked = await post(await partner.token(['notes:write'], { allowedIps: ['10.0.0.0/8', '::1'] }))
  assert.deepEqual(
    [blocked.status, blocked.body.title, blocked.body.type],
    [403, 'pat_ip_blocked', '/errors/pat-ip-blocked']
  )
  assert.equal((await post(await partner.token(['notes:write'], { allowedIps: ['127.0.0.0/8'] }))).status, 201)
  const expiring = await partner.token(['notes:write'], { expiresAt: new Date(clock.now().getTime() + 1000) })
  assert.equal((await post(expiring)).status, 201)
  clock.advance(1000)
  assert.equal((await post(expiring)).status, 401)
})

test('a path that is not a valid URL gets a problem', async (t) => {
  const { url } = await start(t)
  const { status, headers, body } = await send(url, 'GET', '/v1/items/%ED%A0%80')
  assert.deepEqual(
    [status, headers.get('content-type'), body.error],
    [400, 'application/problem+json', 'validation_failed']
  )
  assert.equal(body.requestId, headers.get('x-request-id'))
})

test('text that the database cannot store gets 400, and the problem names its field', async (t) => {
  const { url, key } = await start(t)
  const { status, body } = await send(url, 'POST', '/test/notes', { key, body: { text: 'a\u0000b' } })
  assert.deepEqual(
    [status, body.error, body.errors],
    [400, 'validation_failed', [{ path: 'body/text', message: 'must not contain the character U+0000' }]]
  )
})

test('invalid text is found in nested values and names, and at most 20 are named', async () => {
  const pathsOf = (body: unknown) => findTextFaults({ params: { id: 'a' }, query: {}, body }).map(({ path }) => path)
  let nested: unknown = 'a\0'
  for (let depth = 0; depth < 2_000; depth++) nested = [nested]
  assert.deepEqual(pathsOf(nested), [`body${'/0'.repeat(498)}`], 'the path of a parent, where its own is too long')
  assert.deepEqual(pathsOf({ fine: 'b', 'n\0': 1, list: ['\0', '\ud800'] }).sort(), [
    'body/list/0',
    'body/list/1',
    'body/n\ufffd'
  ])
  assert.deepEqual(pathsOf({ fine: '\u{1f600}' }), [])
  assert.equal(pathsOf(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}\0`, 1]))).length, 20)
})

test('behind a trusted proxy the address is the one the proxy saw, not one the client sent', async (t) => {
  const { url, database } = await startApp(t, { env: { ATLAS_TRUST_PROXY: 'true' }, extend: (app) => bindNotes(app) })
  await createNotesTable.execute(database.db)
  const partner = await createPartner(database)
  const key = await partner.token(['notes:write'], { allowedIps: ['203.0.113.7'] })
  const post = (forwarded: string) =>
    send(url, 'POST', '/test/notes', { key, body: { text: 'a' }, headers: { 'x-forwarded-for': forwarded } })
  assert.equal((await post('203.0.113.7')).status, 201)
  assert.equal((await post('203.0.113.7, 192.0.2.1')).body.error, 'pat_ip_blocked')
})
