import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { sql } from 'kysely'
import { test } from 'tap'
import { nextAttemptAt, giveUpAfterMs } from '../../../modules/webhooks/retry-schedule.ts'
import { publishEvents } from '../../../modules/webhooks/events.ts'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { createPostgresDatabase, openTestDatabase, startApp } from '../../build-app.ts'
import { createApi, createPartner, hookFor, publish, respond, startReceiver } from './setup.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''

test('under concurrent commits and rollbacks each partner sees a sequence without gaps or undone events', async (t) => {
  const running = await startApp(t)
  const { app, url, database } = running
  const partners = [await createPartner(database.db), await createPartner(database.db)]
  const receiver = await startReceiver(t)
  for (const { key } of partners) await hookFor(createApi(url, key), receiver.url)
  const committed = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const { partnerId } = partners[n % 2]!
      try {
        return await transact(database.db, async (trx) => {
          const ids = await app.outbox.publish(
            trx,
            Array.from({ length: (n % 3) + 1 }, () => ({
              partnerId,
              environment: 'test' as const,
              type: 'transfer.settled',
              data: { n }
            }))
          )
          if (n % 5 === 0) throw new Error('the effect fails')
          return ids
        })
      } catch {
        return []
      }
    })
  )
  await app.outbox.settle()
  const seen: string[] = []
  for (const { key } of partners) {
    const { body } = await createApi(url, key)('GET', '/v1/events?limit=500')
    assert.deepEqual(
      body.items.map((item) => item.sequence),
      body.items.map((_, index) => index + 1)
    )
    assert.ok(body.items.every((item) => Number((item.data as { n: number }).n) % 5 !== 0))
    seen.push(...body.items.map((item) => item.id))
  }
  assert.deepEqual(seen.sort(), committed.flat().sort())
  assert.deepEqual(receiver.received.map((one) => one.event.id).sort(), seen)
})

test(
  'published events are sent even while every connection for transactions is in use',
  {
    skip: serverUrl === '' ? 'requires a PostgreSQL server: an embedded database has one connection' : false
  },
  async (t) => {
    const { url: databaseUrl, drop } = await createPostgresDatabase(serverUrl)
    // Waiting for a connection has the same timeout as a statement.
    const database = withState(openPostgres(databaseUrl, 4, () => undefined, { statementLimitMs: 500 }))
    t.teardown(async () => {
      await database.close()
      await drop()
    })
    const running = await startApp(t, { database })
    const { partnerId, key } = await createPartner(database.db)
    const receiver = await startReceiver(t)
    receiver.behave(respond(503))
    await hookFor(createApi(running.url, key), receiver.url)
    const [retried] = await publish(running, partnerId, ['transfer.settled'])
    await running.app.outbox.settle()
    const holding = () =>
      transact(database.db, async (trx) => {
        await sql`select 1`.execute(trx)
        await held
      })
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const holders = [holding(), holding()]
    try {
      assert.equal(await publishEvents(running.app), 0, 'who finds nothing to publish waits for no connection')
      await sql`insert into events (id, partner_id, environment, type, data, created_at) values ('evt_waits', ${partnerId}, 'test', 'transfer.settled', '{}', ${running.clock.now()})`.execute(
        database.db
      )
      running.clock.advance(1_000)
      while (receiver.received.length < 2) await delay(20)
      assert.equal(receiver.received[1]?.event.id, retried)
    } finally {
      release()
      await Promise.all(holders)
    }
  }
)

test('the feed resumes after a sequence or a cursor, and can be filtered by type', async (t) => {
  const running = await startApp(t)
  const { app, url, database, clock } = running
  const { partnerId, key } = await createPartner(database.db)
  const api = createApi(url, key)
  await publish(running, partnerId, [
    'task.created',
    'transfer.settled',
    'task.updated',
    'transfer.failed',
    'task.deleted'
  ])
  await app.outbox.settle()
  const sequences = async (query: string) =>
    (await api('GET', `/v1/events${query}`)).body.items.map((item) => item.sequence)
  const first = (await api('GET', '/v1/events?limit=2')).body
  assert.deepEqual([first.items.length, first.nextCursor], [2, '2'])
  assert.deepEqual(await sequences(`?after=${String(first.nextCursor)}`), [3, 4, 5])
  assert.deepEqual(await sequences('?type=transfer.*'), [2, 4])
  assert.deepEqual(await sequences('?type=transfer.settled'), [2])
  assert.deepEqual(await sequences('?after=5'), [])
  assert.equal((await api('GET', '/v1/events?after=x')).status, 400)
  clock.advance(31 * 24 * 3_600_000)
  assert.deepEqual(await sequences(''), [])
})

test('events older than 30 days are deleted with their deliveries, and the sequence goes on', async (t) => {
  const running = await startApp(t)
  const { app, url, database, clock } = running
  const { partnerId, key } = await createPartner(database.db)
  const api = createApi(url, key)
  const receiver = await startReceiver(t)
  const { id } = await hookFor(api, receiver.url)
  await publish(running, partnerId, ['task.created', 'task.updated'])
  await app.outbox.settle()
  clock.advance(30 * 24 * 3_600_000 + 1)
  await publish(running, partnerId, ['task.deleted'])
  await app.outbox.settle()
  await app.jobs.run('delete expired events')
  assert.equal((await database.db.selectFrom('events').select('id').execute()).length, 1)
  assert.equal((await api('GET', `/v1/webhooks/${id}/deliveries`)).body.items.length, 1)
  assert.deepEqual(
    (await api('GET', '/v1/events')).body.items.map((item) => item.sequence),
    [3]
  )
})

test('two instances on one database send each delivery once and never two at a time to one endpoint', async (t) => {
  const database = await openTestDatabase(t)
  const { partnerId, key } = await createPartner(database.db)
  const one = await startApp(t, { database })
  const two = await startApp(t, { database, clock: one.clock })
  let open = 0
  let most = 0
  const receiver = await startReceiver(t, (_request, response) => {
    most = Math.max(most, ++open)
    setImmediate(() => {
      open--
      response.end()
    })
  })
  await hookFor(createApi(one.url, key), receiver.url)
  const ids: string[] = []
  for (let n = 0; n < 20; n++)
    ids.push(...(await publish(n % 2 === 0 ? one : two, partnerId, ['transfer.pending', 'transfer.posted'])))
  for (let n = 0; n < 3; n++) await Promise.all([one.app.outbox.settle(), two.app.outbox.settle()])
  assert.deepEqual(
    receiver.received.map((received) => received.event.id),
    ids
  )
  assert.equal(most, 1)
})

test('deliveries leased by a dead worker are sent when the lease ends, and not before', async (t) => {
  const running = await startApp(t)
  const { app, url, database } = running
  const { partnerId, key } = await createPartner(database.db)
  const receiver = await startReceiver(t)
  const { id } = await hookFor(createApi(url, key), receiver.url)
  const lease = (until: string) =>
    database.db
      .updateTable('webhooks')
      .set({ lease: 'lease_of_a_dead_worker', leased_until: new Date(until) })
      .where('id', '=', id)
      .execute()
  await lease('2999-01-01T00:00:00Z')
  await publish(running, partnerId, ['task.created'])
  await app.outbox.settle()
  assert.equal(receiver.received.length, 0)
  await lease('2000-01-01T00:00:00Z')
  await app.outbox.settle()
  assert.equal(receiver.received.length, 1)
})

test('the retry schedule never waits longer than an hour and ends within 24 hours', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 2 * giveUpAfterMs }), (tries, elapsedMs) => {
      const first = new Date('2026-06-14T18:00:00Z')
      const now = new Date(first.getTime() + elapsedMs)
      const next = nextAttemptAt({ tries, firstTriedAt: first }, now)
      if (next === undefined) assert.ok(elapsedMs + 3_600_000 > giveUpAfterMs)
      else
        assert.ok(
          next > now && next.getTime() - now.getTime() <= 3_600_000 && next.getTime() - first.getTime() <= giveUpAfterMs
        )
    })
  )
})

test('a subscription is a type, a group or everything, and not a partial name', async (t) => {
  const running = await startApp(t)
  const { app, url, database } = running
  const { partnerId, key } = await createPartner(database.db)
  const receiver = await startReceiver(t)
  const subscriptions = [['*'], ['task.*'], ['loan.*', 'task.updated'], ['transfer.settled']]
  for (const [index, events] of subscriptions.entries())
    await hookFor(createApi(url, key), `${receiver.url}/${index}`, events)
  await publish(running, partnerId, [
    'task.created',
    'task.updated',
    'tasks.created',
    'transfer.settled',
    'transfer.settled_late'
  ])
  await app.outbox.settle()
  const typesAt = (index: number) =>
    receiver.received.filter(({ path }) => path === `/hooks/${index}`).map(({ event }) => event.type)
  assert.deepEqual(
    subscriptions.map((_events, index) => typesAt(index)),
    [
      ['task.created', 'task.updated', 'tasks.created', 'transfer.settled', 'transfer.settled_late'],
      ['task.created', 'task.updated'],
      ['task.updated'],
      ['transfer.settled']
    ]
  )
})
