import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'

const start = async (t: Cleaner) => {
  const server = await startApp(t)
  const { testKey } = await createPartner(server.database)
  const post = async (path: string, body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', ...headers },
      body
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { ...server, key: testKey, post }
}

test('a body that is not UTF-8 gets 400, and another charset or a compressed body gets 415', async (t) => {
  const { post } = await start(t)
  const project = (name: string, encoding: BufferEncoding) =>
    new Uint8Array(Buffer.from(JSON.stringify({ name }), encoding))
  const latin = await post('/v1/projects', project('caf\u00e9', 'latin1'))
  assert.deepEqual([latin.status, latin.body.error], [400, 'malformed_json'])
  assert.match(String(latin.body.detail), /UTF-8/)
  for (const headers of [
    { 'content-type': 'application/json; charset=iso-8859-1' },
    { 'content-type': 'application/json;charset="utf-16le"' },
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'br' }
  ] as Record<string, string>[]) {
    const refused = await post('/v1/projects', project('a', 'utf8'), headers)
    assert.deepEqual([refused.status, refused.body.error], [415, 'unsupported_media_type'], JSON.stringify(headers))
  }
  for (const headers of [
    { 'content-type': 'application/json; charset=UTF-8' },
    { 'content-type': 'Application/JSON; charset="utf-8"' },
    { 'content-encoding': 'identity' }
  ] as Record<string, string>[])
    assert.equal((await post('/v1/projects', project('caf\u00e9', 'utf8'), headers)).status, 201)
})

test('text that a database cannot store is rejected by every operation, with the name of its field', async (t) => {
  const { post, key, url } = await start(t)
  for (const [path, body, field] of [
    ['/v1/projects', '{"name":"a\\ud800b"}', 'body/name'],
    ['/v1/projects', '{"name":"a","description":"\\udc00\\ud800"}', 'body/description'],
    [
      '/v1/recipients',
      '{"name":"\\udfff","routing_number":"021000021","account_number":"1234","account_type":"checking"}',
      'body/name'
    ],
    ['/v1/webhooks', '{"url":"https://example.com/","events":["*"],"description":"\\ud800"}', 'body/description'],
    ['/v1/link/token/create', '{"user_id":"a\\ud800"}', 'body/user_id']
  ] as const) {
    const refused = await post(path, body)
    assert.deepEqual([refused.status, refused.body.error], [400, 'validation_failed'], body)
    assert.deepEqual(
      (refused.body.errors as { path: string }[]).map((error) => error.path),
      [field]
    )
  }
  const query = await send(url, 'GET', '/v1/items?user_id=a%00b', { key })
  assert.deepEqual([query.status, query.body.errors[0].path], [400, 'query/user_id'])
  assert.equal((await post('/v1/projects', '{"name":"\\ud83d\\ude00 \\\\ud800"}')).status, 201)
})

test('a body nested deeper than 32 levels gets 400', async (t) => {
  const { url } = await startApp(t)
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  const login = async (body: string) => {
    const response = await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body
    })
    return { status: response.status, text: await response.text() }
  }
  for (const body of [deep(33), deep(100_000), '['.repeat(500_000) + ']'.repeat(500_000)]) {
    const { status, text } = await login(body)
    assert.equal(status, 400)
    assert.match(text, /nested more than 32 levels/)
  }
  assert.doesNotMatch((await login(deep(32))).text, /nested/)
})

test('a body with more than 25,000 values gets 400, wherever they are', async (t) => {
  const { post } = await start(t)
  const post400 = async (body: string) => {
    const answer = await post('/v1/projects', body)
    assert.equal(answer.status, 400)
    return String(answer.body.detail)
  }
  const list = (count: number) => `{"name":"a","other":[${Array(count).fill('1').join(',')}]}`
  const members = Array.from({ length: 25_000 }, (_, index) => [`m${index}`, 1])
  for (const body of [
    list(25_000),
    `{"other":[${'{},'.repeat(13_000)}1]}`,
    JSON.stringify(Object.fromEntries(members))
  ])
    assert.match(await post400(body), /must not have more than 25000 values/)
  assert.doesNotMatch(await post400(list(24_990)), /values/)
  // What is in a text is no value.
  assert.doesNotMatch(await post400(JSON.stringify({ name: ',[{"'.repeat(30_000) })), /values/)
})

test('an optional body may be empty with every JSON content type', async (t) => {
  const { post } = await start(t)
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/merge-patch+json'])
    assert.equal((await post('/v1/sandbox/public_token', '', { 'content-type': type })).status, 200, type)
})

test('a problem lists at most 20 invalid fields, and says how many more there are', async (t) => {
  const { post } = await start(t)
  const wrong = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`field${index}`, 1]))
  const { status, body } = await post('/v1/projects', JSON.stringify(wrong))
  assert.equal(status, 400)
  assert.equal((body.errors as unknown[]).length, 20)
  assert.match(String(body.detail), /^The request has 501 invalid fields: .* and 498 more\.$/)
})

test('a problem names only the first invalid field of a body with thousands of members', async (t) => {
  const { post } = await start(t)
  const many = (count: number) => JSON.stringify({ name: 1, other: Array.from({ length: count }, () => ({})) })
  const named = async (count: number) => {
    const { status, body } = await post('/v1/projects', many(count))
    assert.equal(status, 400)
    return (body.errors as unknown[]).length
  }
  assert.deepEqual([await named(4_000), await named(10_000)], [2, 1])
})
