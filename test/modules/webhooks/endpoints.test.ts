import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { createApi, createPartner, hookFor, publish, startReceiver, type Body } from './setup.ts'

const target = 'https://hooks.example.com/atlas'

test('an endpoint is created, read, listed, changed and deleted; its secret is shown once', async (t) => {
  const { url, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  const created = await api('POST', '/v1/webhooks', {
    url: target,
    events: ['transfer.*', 'task.created'],
    description: 'Settlement'
  })
  assert.equal(created.status, 201)
  const { secret, ...shown } = created.body
  assert.match(secret, /^whsec_/)
  assert.deepEqual(
    { ...shown, id: '' },
    {
      id: '',
      url: target,
      events: ['transfer.*', 'task.created'],
      description: 'Settlement',
      environment: 'test',
      status: 'enabled',
      disabled_reason: null,
      version: 1,
      created_at: '2026-06-14T18:00:00.000Z'
    }
  )
  assert.deepEqual((await api('GET', `/v1/webhooks/${shown.id}`)).body, shown)
  assert.deepEqual((await api('GET', '/v1/webhooks')).body, { items: [shown], nextCursor: null })
  const changed = await api(
    'PATCH',
    `/v1/webhooks/${shown.id}`,
    { events: ['*'], description: null },
    { 'if-match': '1' }
  )
  assert.equal(changed.status, 200)
  assert.deepEqual(
    [changed.body.events, changed.body.description, changed.body.version, changed.body.url],
    [['*'], null, 2, target]
  )
  assert.equal((await api('DELETE', `/v1/webhooks/${shown.id}`, undefined, { 'if-match': '"2"' })).status, 204)
  assert.equal((await api('GET', `/v1/webhooks/${shown.id}`)).status, 404)
})

test('the stored secret is encrypted', async (t) => {
  const { url, database } = await startApp(t)
  const hook = await hookFor(createApi(url, (await createPartner(database.db)).key), target)
  const row = await database.db.selectFrom('webhooks').select('secret').executeTakeFirstOrThrow()
  assert.ok(!Buffer.from(row.secret).includes(hook.secret.slice(6)))
})

test('an edit based on an old version is rejected with the current version', async (t) => {
  const { url, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  const { id } = await hookFor(api, target)
  await api('PATCH', `/v1/webhooks/${id}`, { description: 'one' })
  const patched = await api('PATCH', `/v1/webhooks/${id}`, { description: 'two' }, { 'if-match': '1' })
  assert.deepEqual([patched.status, patched.body.title, patched.body.version], [409, 'version_conflict', 2])
  assert.equal((await api('DELETE', `/v1/webhooks/${id}`, undefined, { 'if-match': '1' })).status, 409)
  assert.equal((await api('GET', `/v1/webhooks/${id}`)).body.description, 'one')
})

test('of concurrent edits based on one version exactly one takes effect', async (t) => {
  const { url, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  const { id } = await hookFor(api, target)
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      api('PATCH', `/v1/webhooks/${id}`, { description: `${n}` }, { 'if-match': '1' })
    )
  )
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, ...Array<number>(9).fill(409)])
})

test('an invalid endpoint URL is rejected, with the field name', async (t) => {
  const { url, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  for (const bad of [
    'ftp://example.com/hook',
    'https://user:pass@example.com/',
    'not an url',
    'https://example.com/#part',
    'javascript:alert(1)'
  ]) {
    const { status, body } = await api('POST', '/v1/webhooks', { url: bad, events: ['*'] })
    assert.equal(status, 400, bad)
    assert.equal((body.errors as { path: string }[])[0]?.path, 'body/url', bad)
  }
})

test('when private addresses are forbidden, a URL with one is rejected at creation and at update', async (t) => {
  const { url, database } = await startApp(t, { env: { ATLAS_WEBHOOK_ALLOW_PRIVATE: 'false' } })
  const api = createApi(url, (await createPartner(database.db)).key)
  const { id } = await hookFor(api, target)
  for (const bad of [
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest',
    'http://localhost:80/',
    'http://a.localhost./'
  ]) {
    for (const answer of [
      await api('POST', '/v1/webhooks', { url: bad, events: ['*'] }),
      await api('PATCH', `/v1/webhooks/${id}`, { url: bad })
    ]) {
      assert.equal(answer.status, 400, bad)
      assert.equal((answer.body.errors as { path: string }[])[0]?.path, 'body/url', bad)
    }
  }
})

test('unknown event types are rejected', async (t) => {
  const { url, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  for (const events of [['transfer.exploded'], [], ['*', '*'], ['transfer'], 'transfer.settled']) {
    assert.equal((await api('POST', '/v1/webhooks', { url: target, events })).status, 400, JSON.stringify(events))
  }
})

test('a partner has at most 50 endpoints, even when they are created concurrently', async (t) => {
  const { url, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  const answers = await Promise.all(
    Array.from({ length: 55 }, () => api('POST', '/v1/webhooks', { url: target, events: ['*'] }))
  )
  assert.equal(answers.filter((answer) => answer.status === 201).length, 50)
  const refused = answers.filter((answer) => answer.status !== 201)
  assert.deepEqual(
    [...new Set(refused.map((answer) => `${answer.status} ${String(answer.body.title)}`))],
    ['422 webhook_limit_reached']
  )
})

test('pages of endpoints and deliveries contain every item once', async (t) => {
  const running = await startApp(t)
  const { url, database, app } = running
  const { partnerId, key } = await createPartner(database.db)
  const api = createApi(url, key)
  const receiver = await startReceiver(t)
  const hooks = []
  for (let n = 0; n < 5; n++) hooks.push((await hookFor(api, receiver.url, n === 0 ? ['*'] : ['task.*'])).id)
  await publish(running, partnerId, Array<string>(7).fill('transfer.settled'))
  await app.outbox.settle()
  const walk = async (path: string): Promise<string[]> => {
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { body }: { body: Body } = await api('GET', `${path}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      ids.push(...body.items.map((item) => item.id))
      cursor = body.nextCursor
    }
    return ids
  }
  assert.deepEqual((await walk('/v1/webhooks')).sort(), hooks.slice().sort())
  const deliveries = await walk(`/v1/webhooks/${hooks[0]}/deliveries`)
  assert.equal(new Set(deliveries).size, 7)
  assert.equal((await api('GET', '/v1/webhooks?cursor=nonsense')).body.title, 'invalid_cursor')
})

test('endpoints, deliveries and events of other partners return 404', async (t) => {
  const running = await startApp(t)
  const { url, database, app } = running
  const mine = await createPartner(database.db)
  const theirs = await createPartner(database.db)
  const receiver = await startReceiver(t)
  const hook = await hookFor(createApi(url, mine.key), receiver.url)
  await publish(running, mine.partnerId, ['transfer.settled'])
  await publish(running, theirs.partnerId, ['transfer.settled'])
  await app.outbox.settle()
  assert.equal(receiver.received.length, 1)
  const [delivery] = (await createApi(url, mine.key)('GET', `/v1/webhooks/${hook.id}/deliveries`)).body.items
  const stranger = createApi(url, theirs.key)
  const attempts: [string, string, unknown?][] = [
    ['GET', ''],
    ['PATCH', '', { status: 'disabled' }],
    ['DELETE', ''],
    ['POST', '/rotate-secret'],
    ['POST', '/test'],
    ['POST', '/replay', { since: '2026-01-01T00:00:00Z' }],
    ['GET', '/deliveries'],
    ['GET', `/deliveries/${delivery?.id}`],
    ['POST', `/deliveries/${delivery?.id}/replay`]
  ]
  for (const [method, path, body] of attempts)
    assert.equal((await stranger(method, `/v1/webhooks/${hook.id}${path}`, body)).status, 404, `${method} ${path}`)
  assert.deepEqual((await stranger('GET', '/v1/webhooks')).body.items, [])
  assert.equal((await stranger('GET', '/v1/events')).body.items.length, 1)
})
