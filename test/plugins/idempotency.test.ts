import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { startApp, type TestApp, type TestOptions } from '../build-app.ts'
import { createPartner, send, type TestPartner } from '../credentials.ts'
import { bindNotes, createNotesTable, type NotesOptions } from './notes.ts'

const start = async (t: TestContext, notes: NotesOptions = {}, options: TestOptions = {}): Promise<TestApp & { partner: TestPartner; key: string }> => {
  const started = await startApp(t, { ...options, extend: (app) => bindNotes(app, notes) })
  await createNotesTable.execute(started.database.db)
  const partner = await createPartner(started.database)
  return { ...started, partner, key: partner.testKey }
}

const countNotes = async ({ database }: TestApp): Promise<number> => {
  const { rows } = await sql<{ count: number }>`select count(*) as count from test_notes`.execute(database.db)
  return Number(rows[0]?.count)
}

const keyed = (key: string) => ({ 'idempotency-key': key })

test('the same key answers the first success byte for byte and has no second effect', async (t) => {
  const context = await start(t)
  const first = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k1') })
  const second = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k1') })
  assert.deepEqual([first.status, second.status, second.text], [201, 201, first.text])
  assert.equal(first.headers.get('idempotent-replayed'), null)
  assert.equal(second.headers.get('idempotent-replayed'), 'true')
  assert.equal(second.headers.get('idempotency-mismatch'), null)
  assert.equal(await countNotes(context), 1)
})

test('a replay for another body says so', async (t) => {
  const context = await start(t)
  const first = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  const second = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'b' }, headers: keyed('k') })
  assert.equal(second.text, first.text)
  assert.equal(second.headers.get('idempotency-mismatch'), 'body')
})

test('the same key on another operation is refused', async (t) => {
  const context = await start(t)
  await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  const other = await send(context.url, 'POST', '/test/copies', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  assert.deepEqual([other.status, other.body.error], [422, 'idempotency_conflict'])
  assert.equal(await countNotes(context), 1)
})

test('one key of two tenants is two keys', async (t) => {
  const context = await start(t)
  const neighbour = await createPartner(context.database)
  await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  const other = await send(context.url, 'POST', '/test/notes', { key: neighbour.testKey, body: { text: 'b' }, headers: keyed('k') })
  assert.equal(other.headers.get('idempotent-replayed'), null)
  assert.equal(await countNotes(context), 2)
})

test('a failure is rolled back whole, leaves no activity and is not stored', async (t) => {
  const context = await start(t)
  const refused = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'refuse' }, headers: keyed('k') })
  assert.equal(refused.status, 400)
  assert.equal(await countNotes(context), 0)
  assert.equal((await context.database.db.selectFrom('activity').selectAll().execute()).length, 0)
  const corrected = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  assert.deepEqual([corrected.status, corrected.headers.get('idempotent-replayed')], [201, null])
})

test('while the first request runs, another with its key is told to wait', async (t) => {
  let arrived = (): void => undefined
  let finish = (): void => undefined
  const running = new Promise<void>((done) => (arrived = done))
  const held = new Promise<void>((done) => (finish = done))
  const context = await start(t, {
    post: async () => {
      arrived()
      await held
    }
  })
  const first = send(context.url, 'POST', '/test/sent', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  await running
  const second = await send(context.url, 'POST', '/test/sent', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  assert.deepEqual([second.status, second.body.error, second.headers.get('retry-after')], [409, 'idempotency_in_flight', '1'])
  finish()
  assert.equal((await first).status, 201)
  const third = await send(context.url, 'POST', '/test/sent', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  assert.equal(third.headers.get('idempotent-replayed'), 'true')
})

for (const path of ['/test/notes', '/test/sent']) {
  test(`fifty parallel requests to ${path} with one key have one effect`, async (t) => {
    const context = await start(t)
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => send(context.url, 'POST', path, { key: context.key, body: { text: 'a' }, headers: keyed('k') }))
    )
    assert.equal(await countNotes(context), 1)
    const texts = new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text))
    assert.equal(texts.size, 1)
    assert.ok(answers.every(({ status, body }) => status === 201 || body.error === 'idempotency_in_flight'))
  })
}

test('a call onward carries the same key at every retry, and another one for another request', async (t) => {
  const onward: string[] = []
  let failures = 1
  const context = await start(t, {
    post: async (key) => {
      onward.push(key)
      if (failures-- > 0) throw new Error('the other service is down')
    }
  })
  for (const key of ['k1', 'k1', 'k2']) await send(context.url, 'POST', '/test/sent', { key: context.key, body: { text: 'a' }, headers: keyed(key) })
  assert.equal(onward.length, 3)
  assert.equal(onward[0], onward[1])
  assert.notEqual(onward[1], onward[2])
})

test('after 24 hours a key is free again', async (t) => {
  const context = await start(t)
  await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  context.clock.advance(24 * 3_600_000 - 1)
  const before = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  assert.equal(before.headers.get('idempotent-replayed'), 'true')
  context.clock.advance(1)
  const after = await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a' }, headers: keyed('k') })
  assert.equal(after.headers.get('idempotent-replayed'), null)
  assert.equal(await countNotes(context), 2)
  context.clock.advance(25 * 3_600_000)
  await context.app.jobs.run('sweep expired idempotency keys')
  assert.equal((await context.database.db.selectFrom('idempotency_keys').selectAll().execute()).length, 0)
})

test('a stored answer cannot be read from the database without the key', async (t) => {
  const context = await start(t)
  await send(context.url, 'POST', '/test/notes', { key: context.key, body: { text: 'a very secret note' }, headers: keyed('k') })
  const { answer } = await context.database.db.selectFrom('idempotency_keys').select('answer').executeTakeFirstOrThrow()
  assert.ok(answer !== null)
  assert.ok(!Buffer.from(answer).toString('latin1').includes('secret'))
})
