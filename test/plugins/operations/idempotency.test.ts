import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { transact } from '../../../plugins/database/transaction.ts'
import { targetHashOf } from '../../../plugins/operations/idempotency.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send, type Answered } from '../../credentials.ts'
import { bindNotes, createNotesTable } from '../notes.ts'
const dayMs = 24 * 3_600_000
/** Runs inside `/test/sent`, like a call to another service. */
let onTheWay: (onwardKey: string) => Promise<void> = async () => undefined
const context = await startApp(t, { extend: (app) => bindNotes(app, { post: (onwardKey) => onTheWay(onwardKey) }) })
const { app, clock, database, url } = context
const { db } = database
await createNotesTable.execute(db)
const partner = await createPartner(database)
/** Writes a note with an idempotency key. */
const note = (
  key: string,
  text: string,
  { path = '/test/notes', credential = partner.testKey } = {}
): Promise<Answered> =>
  send(url, 'POST', path, { key: credential, body: { text }, headers: { 'idempotency-key': key } })
/** Reads the outcome of the request with a key. */
const lookUp = (key: string): Promise<Answered> => send(url, 'GET', `/v1/idempotency/${key}`, { key: partner.testKey })
const countNotes = async (text: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`select count(*) as count from test_notes where text = ${text}`.execute(
    db
  )
  return Number(rows[0]?.count)
}
const isReplay = ({ headers }: Answered): boolean => headers.get('idempotent-replayed') === 'true'
test('the same key replays the first success byte for byte and has no second effect', async () => {
  const first = await note('twice', 'sent twice')
  const second = await note('twice', 'sent twice')
  assert.deepEqual([first.status, second.status, second.text], [201, 201, first.text])
  assert.equal(first.headers.get('idempotent-replayed'), null)
  assert.equal(second.headers.get('idempotent-replayed'), 'true')
  assert.equal(second.headers.get('idempotency-mismatch'), null)
  assert.equal(await countNotes('sent twice'), 1)
})
test('a replay for a different body reports the mismatch', async () => {
  const first = await note('two-bodies', 'one body')
  const second = await note('two-bodies', 'another body')
  assert.equal(second.text, first.text)
  assert.equal(second.headers.get('idempotency-mismatch'), 'body')
})
test('the same key on another operation is rejected', async () => {
  await note('two-operations', 'noted')
  const other = await note('two-operations', 'noted', { path: '/test/copies' })
  assert.deepEqual([other.status, other.body.error], [422, 'idempotency_conflict'])
  assert.equal(await countNotes('noted'), 1)
})
test('the same key on another resource of the operation is rejected and leaves it unchanged', async () => {
  const post = (path: string, body: unknown, key: string) =>
    send(url, 'POST', path, { key: partner.testKey, body, headers: { 'idempotency-key': key } })
  const create = async (key: string): Promise<string> =>
    (await post('/v1/webhooks', { url: 'http://127.0.0.1:9/', events: ['*'] }, key)).body.id
  const [first, second] = [await create('hook-1'), await create('hook-2')]
  const rotated = await post(`/v1/webhooks/${first}/rotate-secret`, {}, 'rotate')
  assert.equal(rotated.status, 200, rotated.text)
  const other = await post(`/v1/webhooks/${second}/rotate-secret`, {}, 'rotate')
  assert.deepEqual([other.status, other.body.error], [422, 'idempotency_conflict'])
  assert(!other.text.includes('whsec_'))
  const again = await post(`/v1/webhooks/${first}/rotate-secret`, {}, 'rotate')
  assert.deepEqual([again.status, again.text], [200, rotated.text])
  assert.equal((await post(`/v1/webhooks/${second}/rotate-secret`, {}, 'rotate-2')).status, 200)
})
test('the same key of two tenants is two separate keys', async () => {
  const neighbour = await createPartner(database)
  const own = await note('two-tenants', 'of a tenant')
  const other = await note('two-tenants', 'of a tenant', { credential: neighbour.testKey })
  assert.deepEqual([own.status, other.status, isReplay(other)], [201, 201, false])
  assert.equal(await countNotes('of a tenant'), 2)
  const { rows } = await sql`select distinct tenant from idempotency_keys where key = 'two-tenants'`.execute(db)
  assert.equal(rows.length, 2)
})
test('two keys of one tenant have separate responses', async () => {
  const [one, other] = [await note('one-of-two', 'the one'), await note('other-of-two', 'the other')]
  assert.deepEqual(
    [(await note('one-of-two', 'the one')).text, (await note('other-of-two', 'the other')).text],
    [one.text, other.text]
  )
  assert.notEqual(one.text, other.text)
})
test('a failed request is rolled back completely, leaves no activity and is not stored', async () => {
  const activities = async () => (await db.selectFrom('activity').selectAll().execute()).length
  const before = await activities()
  const refused = await note('failing', 'refuse')
  assert.equal(refused.status, 400)
  assert.equal(await countNotes('refuse'), 0)
  assert.equal(await activities(), before)
  const corrected = await note('failing', 'corrected')
  assert.deepEqual([corrected.status, isReplay(corrected)], [201, false])
})
test('while the first request runs, another with its key gets Retry-After', async () => {
  let arrived = (): void => undefined
  let finish = (): void => undefined
  const running = new Promise<void>((done) => (arrived = done))
  const held = new Promise<void>((done) => (finish = done))
  onTheWay = async () => {
    arrived()
    await held
  }
  const first = note('running', 'a', { path: '/test/sent' })
  await running
  assert.deepEqual((await lookUp('running')).body, { status: 'in_flight' })
  const second = await note('running', 'a', { path: '/test/sent' })
  assert.deepEqual(
    [second.status, second.body.error, second.headers.get('retry-after')],
    [409, 'idempotency_in_flight', '1']
  )
  assert.match(second.body.detail, /still running/)
  assert.equal((await note('not-running', 'b')).status, 201, 'another key is free')
  onTheWay = async () => undefined
  finish()
  assert.equal((await first).status, 201)
  assert.ok(isReplay(await note('running', 'a', { path: '/test/sent' })))
})
for (const path of ['/test/notes', '/test/sent']) {
  test(`fifty parallel requests to ${path} with one key have one effect`, async () => {
    const text = `together at ${path}`
    const responses = await Promise.all(Array.from({ length: 50 }, () => note(`together${path}`, text, { path })))
    assert.equal(await countNotes(text), 1)
    const texts = new Set(responses.filter(({ status }) => status === 201).map((response) => response.text))
    assert.equal(texts.size, 1)
    assert.ok(responses.every(({ status, body }) => status === 201 || body.error === 'idempotency_in_flight'))
  })
}
test('an onward call has the same key at every retry, and a different one for another request', async () => {
  const onward: string[] = []
  let failures = 1
  onTheWay = async (key) => {
    onward.push(key)
    if (failures-- > 0) throw new Error('the other service is down')
  }
  for (const key of ['onward-1', 'onward-1', 'onward-2']) await note(key, 'a', { path: '/test/sent' })
  onTheWay = async () => undefined
  assert.equal(onward.length, 3)
  assert.equal(onward[0], onward[1])
  assert.notEqual(onward[1], onward[2])
})
test('a request whose key completes at another server is rolled back and replays that response', async () => {
  const claim = {
    tenant: partner.partnerId,
    environment: 'test' as const,
    key: 'meanwhile',
    operationId: 'sendNote',
    targetHash: targetHashOf('sendNote', {}, {}),
    bodyHash: Buffer.alloc(32)
  }
  const response = JSON.stringify({ id: 'of the other server', text: 'completed meanwhile' })
  onTheWay = () => transact(db, async (trx) => app.idempotency.store(trx, claim, 201, response))
  const late = await note('meanwhile', 'completed meanwhile', { path: '/test/sent' })
  onTheWay = async () => undefined
  assert.deepEqual([late.status, late.text, isReplay(late)], [201, response, true])
  assert.equal(await countNotes('completed meanwhile'), 0)
})
test('the outcome of a request can be read, and reading an unknown key does not hold it', async () => {
  const { body } = await note('asked', 'looked up')
  assert.equal((await lookUp('asked')).body.operationId, 'createNote')
  const found = await app.idempotency.find(partner.partnerId, 'asked')
  assert(found !== undefined)
  assert.deepEqual(
    {
      ...found,
      text: JSON.parse(found.text),
      // The embedded database returns plain byte arrays.
      targetHash: Buffer.from(found.targetHash),
      bodyHash: Buffer.from(found.bodyHash)
    },
    {
      operationId: 'createNote',
      targetHash: targetHashOf('createNote', {}, {}),
      bodyHash: createHash('sha256').update('{"text":"looked up"}').digest(),
      status: 201,
      text: body,
      createdAt: clock.now(),
      expiresAt: new Date(clock.now().getTime() + dayMs)
    }
  )
  for (let time = 0; time < 2; time++) assert.equal((await lookUp('never-asked')).status, 404)
})
test('a key can be held once per tenant', async () => {
  const release = await app.idempotency.hold('a', 'k')
  assert.equal(await app.idempotency.hold('a', 'k'), undefined)
  for (const [tenant, key] of [
    ['a', 'l'],
    ['b', 'k']
  ] as const) {
    const other = await app.idempotency.hold(tenant, key)
    assert.ok(other)
    await other()
  }
  await release?.()
  const again = await app.idempotency.hold('a', 'k')
  assert.ok(again)
  await again()
})
test('a stored response cannot be decrypted without the encryption key, nor replayed for another key', async () => {
  await note('secret', 'a very secret note')
  const row = await db.selectFrom('idempotency_keys').selectAll().where('key', '=', 'secret').executeTakeFirstOrThrow()
  assert.ok(!Buffer.from(row.answer).toString('latin1').includes('secret'))
  for (const place of [{ key: 'moved' }, { tenant: 'moved' }]) {
    const moved = { ...row, ...place }
    await db.insertInto('idempotency_keys').values(moved).execute()
    await assert.rejects(app.idempotency.find(moved.tenant, moved.key))
  }
})
test('after 24 hours a key can be used again, for any request', async () => {
  const first = await note('daily', 'of the first day')
  clock.advance(dayMs - 1)
  assert.ok(isReplay(await note('daily', 'of the first day')))
  clock.advance(1)
  assert.equal((await lookUp('daily')).status, 404)
  const second = await note('daily', 'of the second day', { path: '/test/copies' })
  assert.deepEqual([second.status, isReplay(second)], [201, false])
  assert.notEqual(second.text, first.text)
  const replayed = await note('daily', 'of the second day', { path: '/test/copies' })
  assert.deepEqual(
    [replayed.text, isReplay(replayed), replayed.headers.get('idempotency-mismatch')],
    [second.text, true, null]
  )
  clock.advance(dayMs - 1)
  assert.ok(isReplay(await note('daily', 'of the second day', { path: '/test/copies' })), 'its own 24 hours')
})
test('keys older than 24 hours are deleted, and newer ones are kept', async () => {
  await note('old', 'swept')
  clock.advance(dayMs - 1)
  await note('young', 'kept')
  const keys = async () =>
    (await db.selectFrom('idempotency_keys').select('key').orderBy('key').execute()).map(({ key }) => key)
  await app.jobs.run('sweep expired idempotency keys')
  assert.ok((await keys()).includes('old'))
  clock.advance(1)
  await app.jobs.run('sweep expired idempotency keys')
  assert.deepEqual(await keys(), ['young'])
})
