import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { readFeed } from '../../../modules/linking/queries/feed.ts'
import { createPartner, send } from '../../credentials.ts'
import { FeedClient } from './feed-client.ts'
import { simulatorOf, startWorld, type World } from './world.ts'

const countUsage = async ({ database: { db } }: World): Promise<number> =>
  (await db.selectFrom('usage_events').select('id').where('event_type', '=', 'transaction').execute()).length

const callsOf = (world: World, path: string) => {
  const { faults } = simulatorOf(world)
  const seen = { count: 0 }
  const take = faults.take.bind(faults)
  faults.take = (requested) => {
    if (requested === path) seen.count++
    return take(requested)
  }
  return seen
}

test('the first read returns the whole history, page by page, with one request to Plaid', async (t) => {
  const world = await startWorld(t, { historyDays: 730 })
  const { itemId } = await world.link('usr_1')
  await world.settle()
  const truth = await world.truthOf(itemId)
  const calls = callsOf(world, '/transactions/sync')
  const client = new FeedClient(world, 'usr_1')
  const pages = await client.drain({ limit: 100 })
  assert.deepEqual(client.view, truth)
  assert.equal(pages, Math.ceil(truth.size / 100))
  assert.equal(calls.count, 1, 'stored pages need no request to Plaid')
})

test('reading continues where it stopped, an empty cursor starts again, and a cursor repeats its page', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  await world.settle()
  const read = async (query: string) => (await world.get(`/v1/transactions?user_id=usr_1&limit=50${query}`)).body
  const first = await read('')
  const second = await read('')
  assert.notDeepEqual(first.transactions, second.transactions)
  assert.deepEqual(await read('&cursor='), first)
  assert.deepEqual(await read(`&cursor=${first.next_cursor}`), second)
  const third = await read('')
  assert.deepEqual(
    third,
    await read(`&cursor=${second.next_cursor}`),
    'repeating a page does not move the position back'
  )
  assert.equal((await world.get('/v1/transactions?user_id=usr_2&cursor=' + first.next_cursor)).status, 400)
  assert.equal((await world.get('/v1/transactions?user_id=usr_1&cursor=nonsense')).body.error, 'invalid_cursor')
})

const positionsOf = async ({ database: { db } }: World) =>
  (
    await sql<{
      position: number
      written: string
    }>`select position, xmin::text || ' ' || xmax::text as written from transaction_feed_readers`.execute(db)
  ).rows

test('reading records the furthest position returned, and repeating a page writes nothing', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  await world.settle()
  const read = async (limit: number) => await world.get(`/v1/transactions?user_id=usr_1&cursor=&limit=${limit}`)
  await read(2)
  const [noted] = await positionsOf(world)
  assert.equal(noted?.position, 2)
  await read(1)
  await read(2)
  assert.deepEqual(await positionsOf(world), [noted])
  const { body } = await read(500)
  const [moved] = await positionsOf(world)
  assert.equal(moved?.position, body.transactions.length)
})

test('reading a last page only to decide whether to call the banks does not record it as returned', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  await world.settle()
  const { db } = world.database
  const { partner_id: partnerId } = await db.selectFrom('items').select('partner_id').executeTakeFirstOrThrow()
  const page = await readFeed(
    db,
    { partnerId, environments: ['test'] },
    { userId: 'usr_1', after: 0, limit: 500, upToDate: false }
  )
  assert.equal(page.hasMore, false)
  assert.ok(page.transactions.length > 0)
  assert.deepEqual(await positionsOf(world), [])
})

test('usage counts a transaction once, however often it is read, changed or booked', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  const everSeen = new Set<string>()
  const note = (rows: Iterable<Record<string, unknown>>) => {
    for (const row of rows) everSeen.add(String(row.pending_transaction_id ?? row.transaction_id))
  }
  note(client.view.values())
  for (let day = 0; day < 6; day++) {
    await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'SYNC_UPDATES_AVAILABLE' })
    await world.settle()
    world.clock.advance(86_400_000)
    await client.drain()
    await client.drain({ from: '' })
    note(client.view.values())
    assert.deepEqual(client.view, await world.truthOf(itemId))
  }
  assert.equal(await countUsage(world), everSeen.size)
})

test('`since` leaves out older transactions, and the position still advances past them', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  const client = new FeedClient(world, 'usr_1')
  await client.drain({ since: '2026-06-01', limit: 7 })
  const wanted = [...(await world.truthOf(itemId)).entries()].filter(([, row]) => String(row.date) >= '2026-06-01')
  assert.deepEqual(client.view, new Map(wanted))
  const after = (await world.get('/v1/transactions?user_id=usr_1&limit=500')).body
  assert.deepEqual([after.transactions.length, after.has_more], [0, false])
})

test('deleting an item removes its transactions from the feed', async (t) => {
  const world = await startWorld(t)
  const [kept, gone] = [await world.link('usr_1'), await world.link('usr_1', 'ins_109509')]
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  const removed = await fetch(`${world.url}/v1/items/${gone.itemId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${world.partner.testKey}` }
  })
  assert.equal(removed.status, 204)
  await client.drain()
  assert.deepEqual(client.view, await world.truthOf(kept.itemId))
  const fresh = new FeedClient(world, 'usr_1')
  await fresh.drain({ from: '' })
  assert.deepEqual(fresh.view, client.view)
  const leftovers = await world.database.db
    .selectFrom('transactions')
    .selectAll()
    .where('item_id', '=', gone.itemId)
    .execute()
  assert.equal(leftovers.length, 0)
})

test('with Plaid down, stored data is returned as stale, and 502 only if there is none', async (t) => {
  const world = await startWorld(t)
  const { faults } = simulatorOf(world)
  faults.next('/transactions/sync', 'drop', 9)
  await world.link('usr_1')
  await world.settle()
  faults.clear()
  faults.next('/transactions/sync', 'drop', 3)
  assert.deepEqual((await world.get('/v1/transactions?user_id=usr_1')).body.error, 'upstream_unavailable')
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  faults.next('/transactions/sync', 'drop', 3)
  const stale = await world.get('/v1/transactions?user_id=usr_1')
  assert.deepEqual([stale.status, stale.body.stale], [200, true])
  assert.equal('stale' in (await world.get('/v1/transactions?user_id=usr_1')).body, false)
})

test('an end-user with the same id at another partner has a separate feed', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  const stranger = await createPartner(world.database)
  const { body } = await world.get('/v1/transactions?user_id=usr_1', stranger.testKey)
  assert.deepEqual([body.transactions, body.removed, body.has_more], [[], [], false])
})

test('a hundred concurrent readers sync an item without applying a change twice', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await Promise.all(Array.from({ length: 100 }, () => world.get('/v1/transactions?user_id=usr_1&limit=10&cursor=')))
  await world.settle()
  const client = new FeedClient(world, 'usr_1')
  await client.drain({ from: '' })
  const truth = await world.truthOf(itemId)
  assert.deepEqual(client.view, truth)
  const counted = new Set([...truth.values()].map((row) => row.pending_transaction_id ?? row.transaction_id))
  assert.equal(await countUsage(world), counted.size)
})

test('HEAD moves no read position and calls no bank', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  await world.settle()
  const calls = callsOf(world, '/transactions/sync')
  const path = '/v1/transactions?user_id=usr_1&limit=5'
  const { status, text } = await send(world.url, 'HEAD', path, { key: world.partner.testKey })
  assert.deepEqual([status, text, calls.count], [200, '', 0])
  assert.deepEqual(await world.database.db.selectFrom('transaction_feed_readers').selectAll().execute(), [])
  assert.equal((await send(world.url, 'HEAD', '/v1/transactions', { key: world.partner.testKey })).status, 400)
  assert.equal((await send(world.url, 'HEAD', path)).status, 401)
})
