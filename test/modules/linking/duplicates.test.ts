import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { findDuplicates, type SeenAccount } from '../../../modules/linking/duplicates.ts'
import { FeedClient } from './feed-client.ts'
import { simulatorOf, startWorld, type World } from './world.ts'

const seen = (id: string, itemId: string, more: Partial<SeenAccount> = {}): SeenAccount => ({
  id,
  itemId,
  itemWorks: true,
  itemCreatedAt: new Date(itemId === 'A' ? 0 : 1),
  institutionId: 'ins_1',
  ordinal: 0,
  name: 'Checking',
  mask: '0000',
  subtype: 'checking',
  persistentAccountId: null,
  isClosed: false,
  duplicateOf: null,
  ...more
})

const found = (...accounts: SeenAccount[]) => Object.fromEntries(findDuplicates(accounts))

test('accounts are the same by the bank’s identity, or else by institution, mask, name and subtype', async () => {
  assert.deepEqual(found(seen('a', 'A'), seen('b', 'B')), { b: 'a' })
  for (const different of [
    { institutionId: 'ins_2' },
    { institutionId: null },
    { mask: '1111' },
    { mask: null },
    { name: 'Other' },
    { subtype: null }
  ])
    assert.deepEqual(found(seen('a', 'A'), seen('b', 'B', different)), {}, JSON.stringify(different))
  const moved = { persistentAccountId: 'p', mask: '9', name: 'New name', institutionId: 'ins_2' }
  assert.deepEqual(found(seen('a', 'A', { persistentAccountId: 'p' }), seen('b', 'B', moved)), { b: 'a' })
  const other = { persistentAccountId: 'q' }
  assert.deepEqual(found(seen('a', 'A', { persistentAccountId: 'p' }), seen('b', 'B', other)), {})
  assert.deepEqual(found(seen('a', 'A', { persistentAccountId: 'p' }), seen('b', 'B')), { b: 'a' })
})

test('equal accounts of one item are different accounts, and each has one duplicate in another item', async () => {
  const twins = [seen('a1', 'A'), seen('a2', 'A', { ordinal: 1 })]
  assert.deepEqual(found(...twins), {})
  assert.deepEqual(found(...twins, seen('b1', 'B'), seen('b2', 'B', { ordinal: 1 })), { b1: 'a1', b2: 'a2' })
  assert.deepEqual(found(...twins, seen('b1', 'B'), seen('c1', 'C')), { b1: 'a1', c1: 'a1' })
})

test('an account of an item that works counts in place of one that does not, and keeps counting', async () => {
  const broken = seen('a', 'A', { itemWorks: false })
  assert.deepEqual(found(broken, seen('b', 'B', { duplicateOf: 'a' })), { a: 'b' })
  assert.deepEqual(found(seen('a', 'A', { duplicateOf: 'b' }), seen('b', 'B')), { a: 'b' })
  assert.deepEqual(found(seen('a', 'A', { isClosed: true }), seen('b', 'B')), { a: 'b' })
  assert.deepEqual(found(broken, seen('b', 'B', { itemWorks: false, duplicateOf: 'a' })), { b: 'a' })
})

const bank = 'ins_127287'

const usageOf = async ({ database: { db } }: World) =>
  (
    await sql<{ transactions: number; volume: number }>`
      select coalesce(sum(transactions), 0)::integer as transactions, coalesce(sum(amount_cents), 0)::bigint as volume from usage_events`.execute(
      db
    )
  ).rows[0]

test('an account that two items show counts once, in balances, feed, forecast and usage', async (t) => {
  const world = await startWorld(t)
  const first = await world.link('usr_1', bank)
  await world.settle()
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  const alone = { view: new Map(client.view), usage: await usageOf(world) }
  const forecast = (await world.get('/v1/insights/cashflow?user_id=usr_1')).body

  const { public_token } = (await world.post('/v1/sandbox/public_token', { institution_id: bank })).body
  world.clock.advance(60_000)
  const second = (await world.post('/v1/accounts/link', { public_token, user_id: 'usr_1' })).body
  assert.equal(second.duplicate_of, first.itemId)
  assert.deepEqual(
    second.accounts.map(({ duplicate_of }: { duplicate_of: string }) => duplicate_of),
    first.accounts.map(({ account_id }) => account_id)
  )
  await world.settle()
  await client.drain()
  assert.deepEqual(client.view, alone.view)
  assert.deepEqual(await usageOf(world), alone.usage)
  const again = (await world.get('/v1/insights/cashflow?user_id=usr_1')).body
  assert.equal(again.current_balance, forecast.current_balance)
  const { items } = (await world.get('/v1/items?user_id=usr_1')).body
  assert.deepEqual(
    items.map(({ duplicate_of }: { duplicate_of?: string }) => duplicate_of),
    [first.itemId, undefined]
  )
})

test('when the first link breaks, the second one counts; when it is deleted, the other one counts again', async (t) => {
  const world = await startWorld(t)
  const first = await world.link('usr_1', bank)
  await world.settle()
  world.clock.advance(60_000)
  await world.post(`/v1/sandbox/items/${first.itemId}/reset_login`)
  const second = await world.link('usr_1', bank)
  const client = new FeedClient(world, 'usr_1')
  const accounts = (await world.get('/v1/accounts?user_id=usr_1')).body.accounts as Record<string, unknown>[]
  assert.deepEqual(
    new Set(accounts.filter(({ duplicate_of }) => duplicate_of === undefined).map(({ item_id }) => item_id)),
    new Set([second.itemId])
  )
  await world.settle()
  await client.drain({ from: '' })
  assert.deepEqual(client.view, await world.truthOf(second.itemId))

  const { db } = world.database
  const { plaid_item_id } = await db
    .selectFrom('items')
    .select('plaid_item_id')
    .where('id', '=', first.itemId)
    .executeTakeFirstOrThrow()
  await simulatorOf(world).repairLogin(plaid_item_id)
  await fetch(`${world.url}/v1/items/${second.itemId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${world.partner.testKey}` }
  })
  await world.settle()
  await client.drain()
  assert.deepEqual(client.view, await world.truthOf(first.itemId))
})

test('12 concurrent links of the same bank leave each account counting once', async (t) => {
  const world = await startWorld(t)
  const tokens = await Promise.all(
    Array.from({ length: 12 }, () => world.post('/v1/sandbox/public_token', { institution_id: bank }))
  )
  const linked = await Promise.all(
    tokens.map(({ body }) => world.post('/v1/accounts/link', { public_token: body.public_token, user_id: 'usr_1' }))
  )
  assert.deepEqual(new Set(linked.map(({ status }) => status)), new Set([200]))
  const { body } = await world.get('/v1/accounts?user_id=usr_1')
  const counted = body.accounts.filter((account: { duplicate_of?: string }) => account.duplicate_of === undefined)
  assert.equal(counted.length, 9)
})
