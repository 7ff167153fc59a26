import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { t, test } from 'tap'
import { createPartner, send } from '../../credentials.ts'
import { openTestDatabase, startApp } from '../../build-app.ts'
import { statementsOf } from '../../statements.ts'

const secret = 'an-ingest-secret-of-a-test'
const { url, database, app } = await startApp(t, { env: { ATLAS_INGEST_SECRET: secret } })
const withSecret = { 'x-atlas-ingest-secret': secret }

const ingest = async (body: unknown, headers: Record<string, string> = {}) =>
  await send(url, 'POST', '/api/ingest/event', { body, headers: { ...withSecret, ...headers } })
const ingestBatch = async (events: unknown, headers: Record<string, string> = {}) =>
  await send(url, 'POST', '/api/ingest/events/batch', { body: { events }, headers: { ...withSecret, ...headers } })
const usageOf = async (key: string, query = '') => (await send(url, 'GET', `/v1/usage${query}`, { key })).body
const countEvents = async (): Promise<number> =>
  (
    await database.db
      .selectFrom('usage_events')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
  ).count

test('an event is accepted with the secret in either header, and counts in the usage at once', async () => {
  const { partnerId, testKey } = await createPartner(database)
  const event = {
    partner_id: partnerId,
    event_type: 'transaction',
    user_id: 'usr_42',
    amount_cents: 4218,
    category: 'groceries'
  }
  const first = await ingest(event)
  assert.equal(first.status, 200)
  assert.deepEqual(first.body, { accepted: 1, duplicates: 0, partners: [partnerId] })
  const second = await send(url, 'POST', '/api/ingest/event', { body: event, key: secret })
  assert.equal(second.status, 200)
  const usage = await usageOf(testKey)
  assert.deepEqual(usage.totals, {
    user_signups: 0,
    account_links: 0,
    transactions: 2,
    volume_cents: 8436,
    active_users: 1
  })
  assert.deepEqual(usage.by_category, [{ category: 'groceries', transactions: 2, volume_cents: 8436 }])
})

test('a batch with several partners returns them in the order of their first event', async () => {
  const [one, two] = [await createPartner(database), await createPartner(database)]
  const { status, body } = await ingestBatch([
    { partner_id: two.partnerId, event_type: 'user_signup', user_id: 'usr_1' },
    { partner_id: one.partnerId, event_type: 'account_link', user_id: 'usr_1', institution: 'chase' },
    {
      partner_id: two.partnerId,
      event_type: 'transaction',
      user_id: 'usr_1',
      amount_cents: 4218,
      category: 'groceries'
    }
  ])
  assert.equal(status, 200)
  assert.deepEqual(body, { accepted: 3, duplicates: 0, partners: [two.partnerId, one.partnerId] })
  assert.deepEqual((await usageOf(one.testKey)).by_institution, [{ institution: 'chase', account_links: 1 }])
  assert.equal((await usageOf(two.testKey)).totals.user_signups, 1)
})

test('an event id counts once for its partner: in one batch, in a later one, and not for another partner', async () => {
  const [one, two] = [await createPartner(database), await createPartner(database)]
  const event = (partnerId: string) => ({ partner_id: partnerId, event_type: 'user_signup', event_id: 'signup-1' })
  assert.deepEqual((await ingestBatch([event(one.partnerId), event(one.partnerId), event(two.partnerId)])).body, {
    accepted: 2,
    duplicates: 1,
    partners: [one.partnerId, two.partnerId]
  })
  assert.deepEqual((await ingest(event(one.partnerId))).body, { accepted: 0, duplicates: 1, partners: [one.partnerId] })
  assert.equal((await usageOf(one.testKey)).totals.user_signups, 1)
})

test('a request with unknown partners is rejected as a whole, and names each of them once', async () => {
  const { partnerId, testKey } = await createPartner(database)
  const before = await countEvents()
  const { status, body } = await ingestBatch(
    ['p_404', partnerId, 'p_405', 'p_404'].map((id) => ({ partner_id: id, event_type: 'user_signup' }))
  )
  assert.equal(status, 400)
  assert.equal(body.error, 'unknown_partner')
  assert.deepEqual(body.missing, ['p_404', 'p_405'])
  assert.equal(await countEvents(), before)
  assert.equal((await usageOf(testKey)).totals.user_signups, 0)
})

test('ingestion and ping require the ingest secret; a partner key is rejected', async () => {
  const { testKey } = await createPartner(database)
  for (const headers of [{}, { 'x-atlas-ingest-secret': 'wrong' }, { authorization: `Bearer ${testKey}` }] as Record<
    string,
    string
  >[]) {
    for (const [method, path] of [
      ['POST', '/api/ingest/event'],
      ['POST', '/api/ingest/events/batch'],
      ['GET', '/api/ingest/ping']
    ] as const) {
      const { status, body } = await send(url, method, path, { headers, ...(method === 'POST' ? { body: {} } : {}) })
      assert.equal(status, 401, `${method} ${path}`)
      assert.equal(body.error, 'unauthorized')
    }
  }
})

test('ping returns ok with the secret', async () => {
  const { status, body } = await send(url, 'GET', '/api/ingest/ping', { headers: withSecret })
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ok', time: '2026-06-14T18:00:00.000Z' })
})

test('a server without an ingest secret returns 503 with the reason', async (t) => {
  const without = await startApp(t, { env: { ATLAS_INGEST_SECRET: '' } })
  const { status, body } = await send(without.url, 'GET', '/api/ingest/ping', { headers: withSecret })
  assert.equal(status, 503)
  assert.equal(body.error, 'ingest_not_configured')
})

test('an idempotency key replays the first response, even if the events have no ids', async () => {
  const { partnerId, testKey } = await createPartner(database)
  const key = { 'idempotency-key': randomUUID() }
  const first = await ingestBatch([{ partner_id: partnerId, event_type: 'user_signup' }], key)
  const again = await ingestBatch([{ partner_id: partnerId, event_type: 'user_signup' }], key)
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.equal(again.text, first.text)
  assert.equal((await usageOf(testKey)).totals.user_signups, 1)
})

test('an invalid request stores nothing, and its response names every invalid field', async () => {
  const { partnerId: partner_id } = await createPartner(database)
  const before = await countEvents()
  const good = { partner_id, event_type: 'transaction', amount_cents: 1, category: 'rent' }
  const single: [unknown, string[]][] = [
    [{}, ['body/event_type', 'body/partner_id']],
    [{ ...good, event_type: 'purchase' }, ['body/event_type']],
    [{ ...good, amount_cents: 42.18 }, ['body/amount_cents']],
    [{ ...good, amount_cents: '4218' }, ['body/amount_cents']],
    [{ ...good, amount_cents: -1, colour: 'red' }, ['body/amount_cents', 'body/colour']],
    [
      { partner_id, event_type: 'user_signup', amount_cents: 1, category: 'rent', institution: 'chase' },
      ['body/amount_cents', 'body/category', 'body/institution']
    ],
    [{ ...good, occurred_at: 'yesterday' }, ['body/occurred_at']],
    [{ ...good, occurred_at: '2026-06-15T18:00:01Z' }, ['body/occurred_at']],
    [{ ...good, occurred_at: '0000-01-01T00:00:00Z' }, ['body/occurred_at']],
    [{ ...good, occurred_at: '2016-12-31T23:59:60Z' }, ['body/occurred_at']],
    [{ ...good, user_id: 'a\u0000b', category: '' }, ['body/category', 'body/user_id']],
    // Stored, both halves of a pair would become the same character, and the two events one.
    [{ ...good, event_id: 'a\ud800', user_id: 'b\udfff' }, ['body/event_id', 'body/user_id']],
    [{ ...good, user_id: null }, ['body/user_id']]
  ]
  for (const [body, paths] of single) {
    const answered = await ingest(body)
    assert.equal(answered.status, 400, JSON.stringify(body))
    assert.deepEqual(
      answered.body.errors.map((error: { path: string }) => error.path).sort(),
      paths,
      JSON.stringify(body)
    )
  }
  const batches: [unknown, string[]][] = [
    [[], ['body/events']],
    [Array.from({ length: 501 }, () => good), ['body/events']],
    ['none', ['body/events']],
    [
      [good, 7, good, { ...good, amount_cents: 0.5 }],
      ['body/events/1', 'body/events/3/amount_cents']
    ],
    [
      [good, { ...good, institution: 'chase' }, { ...good, occurred_at: '2027-01-01T00:00:00Z' }],
      ['body/events/1/institution', 'body/events/2/occurred_at']
    ]
  ]
  for (const [events, paths] of batches) {
    const answered = await ingestBatch(events)
    assert.equal(answered.status, 400)
    assert.deepEqual(answered.body.errors.map((error: { path: string }) => error.path).sort(), paths)
  }
  assert.equal((await ingest('{"partner_id":')).body.error, 'malformed_json')
  assert.equal(await countEvents(), before)
})

test('a batch of 500 events takes one statement between begin and commit', async (t) => {
  const handle = await openTestDatabase(t)
  const { partnerId } = await createPartner(handle)
  const { url } = await startApp(t, { env: { ATLAS_INGEST_SECRET: secret }, database: handle })
  const events = Array.from({ length: 500 }, (_, index) => ({
    partner_id: partnerId,
    event_type: 'transaction',
    user_id: `usr_${index}`,
    amount_cents: index
  }))
  const statements = await statementsOf(
    handle.db,
    (text) => text.includes('usage_'),
    async () => {
      const { status, body } = await send(url, 'POST', '/api/ingest/events/batch', {
        body: { events },
        headers: withSecret
      })
      assert.equal(status, 200)
      assert.equal(body.accepted, 500)
    }
  )
  assert.equal(statements.length, 1, statements.join('\n'))
})

test('the text of an event is returned unchanged, whatever characters it contains', async () => {
  const { partnerId, testKey } = await createPartner(database)
  const category = '"quoted", {braced} \\ null NULL ünïcode 🏦 \'; drop table usage_events; --'
  assert.equal(
    (await ingest({ partner_id: partnerId, event_type: 'transaction', amount_cents: 1, category, user_id: 'NULL' }))
      .status,
    200
  )
  const usage = await usageOf(testKey)
  assert.deepEqual(usage.by_category, [{ category, transactions: 1, volume_cents: 1 }])
  assert.equal(usage.totals.active_users, 1)
})

test('other domains record usage in their own transaction, each event once', async () => {
  const { recordUsage } = await import('../../../modules/ingest/index.ts')
  const { partnerId, testKey } = await createPartner(database)
  const event = {
    partnerId,
    type: 'account_link' as const,
    userId: 'usr_1',
    institution: 'ins_1',
    eventId: 'item_1'
  }
  const record = async () =>
    await database.db.transaction().execute(async (trx) => await recordUsage(trx, [event], app.clock.now()))
  assert.equal(await record(), 1)
  assert.equal(await record(), 0)
  assert.deepEqual((await usageOf(testKey)).by_institution, [{ institution: 'ins_1', account_links: 1 }])
  await assert.rejects(
    database.db.transaction().execute((trx) => recordUsage(trx, [{ ...event, partnerId: 'p_404' }], app.clock.now())),
    /do not exist: p_404/
  )
})
