import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { behaviours, openBank, type Behaviour } from '../../../simulators/plaid/index.ts'
import { FeedClient } from './feed-client.ts'
import { simulatorOf, startWorld, type World } from './world.ts'

const minutes = (count: number) => count * 60_000
const days = (count: number) => count * 86_400_000

const itemsOf = async (world: World, userId = 'usr_1') =>
  (await world.get(`/v1/items?user_id=${userId}`)).body.items as Record<string, unknown>[]

const accountsOf = async (world: World, userId = 'usr_1') =>
  (await world.get(`/v1/accounts?user_id=${userId}`)).body.accounts as Record<string, unknown>[]

const plaidIdOf = async ({ database: { db } }: World, itemId: string): Promise<string> =>
  (await db.selectFrom('items').select('plaid_item_id').where('id', '=', itemId).executeTakeFirstOrThrow())
    .plaid_item_id

test('a refused cursor starts a fresh sync, which removes what the bank no longer has', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  const truth = await world.truthOf(itemId)
  const { db } = world.database
  const [gone] = client.view.keys()
  assert.ok(gone !== undefined)
  await sql`update items set sync_cursor = 'a cursor that Plaid has forgotten'`.execute(db)
  await sql`update transactions set id = 'txn_of_before' where id = ${gone}`.execute(db)
  simulatorOf(world).faults.next('/transactions/sync', 'slow', 1, 0)
  simulatorOf(world).faults.next('/transactions/sync', 'INTERNAL_SERVER_ERROR', 3)
  const during = await world.get('/v1/transactions?user_id=usr_1')
  assert.deepEqual([during.status, during.body.stale], [200, true])
  assert.equal((await itemsOf(world))[0]?.status, 'resyncing')
  await client.drain()
  assert.equal((await itemsOf(world))[0]?.status, 'ok')
  const fresh = new FeedClient(world, 'usr_1')
  await fresh.drain({ from: '' })
  assert.deepEqual(fresh.view, truth)
})

test('a fresh sync appends only what changed, so readers do not get the whole history again', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  await world.settle()
  await new FeedClient(world, 'usr_1').drain()
  await sql`update items set sync_cursor = 'a cursor that Plaid has forgotten'`.execute(world.database.db)
  const { body } = await world.get('/v1/transactions?user_id=usr_1')
  assert.deepEqual([body.transactions, body.removed, body.has_more], [[], [], false])
})

test('odd records are kept aside, logged once each without content, and never break the item', async (t) => {
  const lines: string[] = []
  const logStream = { write: (line: string) => void lines.push(line) }
  const world = await startWorld(t, { env: { LOG_LEVEL: 'warn' }, logStream })
  const { itemId } = await world.link('usr_1', 'ins_900007')
  await world.settle()
  for (let read = 0; read < 3; read++) {
    const client = new FeedClient(world, 'usr_1')
    await client.drain({ from: '' })
    const sound = await simulatorOf(world).truthOf(await plaidIdOf(world, itemId))
    assert.equal(client.view.size, sound.length)
  }
  const [item] = await itemsOf(world)
  const kept = Number(item?.quarantined_records)
  assert.ok(kept > 5 && kept <= 100)
  assert.deepEqual([item?.status, item?.history], ['ok', 'complete'])
  const logged = lines.filter((line) => line.includes('kept aside'))
  assert.equal(logged.length, kept)
  assert.ok(logged.every((line) => !line.includes('without-anything') && !line.includes('a text')))
  assert.equal((await accountsOf(world)).length, 8, 'the odd account is left out')
})

test('at most 100 odd records of an item are kept', async (t) => {
  const world = await startWorld(t)
  const flood: Behaviour = {
    name: 'flood',
    strays: () => Array.from({ length: 400 }, (_, index) => ({ transaction_id: `odd-${index}` }))
  }
  const { itemId } = await world.link('usr_1', openBank('flood', [flood]))
  await world.settle()
  const { rows } = await sql`select from quarantined_records where item_id = ${itemId}`.execute(world.database.db)
  assert.equal(rows.length, 100)
  assert.equal((await itemsOf(world))[0]?.quarantined_records, 100)
})

test('a record that turns sound leaves the quarantine and enters the feed', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  const { db } = world.database
  const [row] = client.view.values()
  const [plaid] = await simulatorOf(world).truthOf(await plaidIdOf(world, itemId))
  assert.ok(row !== undefined && plaid !== undefined)
  const record = JSON.stringify({ ...plaid, transaction_id: 'was-odd' })
  await sql`insert into quarantined_records (item_id, kind, record_key, fault, record, seen_at)
    values (${itemId}, 'transaction', 'was-odd', '/account_id: unknown account', ${record}::jsonb, now())`.execute(db)
  assert.equal((await itemsOf(world))[0]?.quarantined_records, 1)
  await client.drain()
  assert.equal(client.view.size, (await world.truthOf(itemId)).size + 1)
  assert.equal((await itemsOf(world))[0]?.quarantined_records, 0)
})

test('an account that the bank no longer lists is closed, keeps its transactions and stops counting', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1', openBank('vanishing', [behaviours.vanishingAccount]))
  assert.ok((await accountsOf(world)).every(({ closed }) => closed === false))
  world.clock.advance(days(3))
  const closed = (await accountsOf(world)).filter((account) => account.closed === true)
  assert.deepEqual(
    closed.map(({ name, stale }) => [name, stale]),
    [['Plaid Saving', true]]
  )
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  assert.ok([...client.view.values()].some((row) => row.account_id === closed[0]?.account_id))
  const forecast = await world.get('/v1/insights/cashflow?user_id=usr_1')
  assert.equal(forecast.body.current_balance, 100 + 43_200, 'without the savings account, and a cd is never spendable')
})

test('an account to which the end-user ended the access is closed at once', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'USER_ACCOUNT_REVOKED' })
  await world.settle()
  const { rows } = await sql<{ name: string }>`select name from accounts where closed_at is not null`.execute(
    world.database.db
  )
  assert.deepEqual(rows, [{ name: 'Plaid Saving' }])
  assert.equal((await accountsOf(world)).find(({ name }) => name === 'Plaid Saving')?.closed, true)
})

test('Capital One’s rule is followed, and its balances have their own time', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1', 'ins_128026')
  world.clock.advance(days(2))
  const accounts = await accountsOf(world)
  const [checking, card] = ['Plaid Checking', 'Plaid Credit Card'].map((name) => accounts.find((a) => a.name === name))
  assert.deepEqual([checking?.as_of, checking?.stale], ['2026-06-16T18:00:00.000Z', false])
  assert.deepEqual([card?.as_of, card?.stale], ['2026-06-16T12:00:00.000Z', false])
})

test('a bank without current balances gives Plaid’s last ones, marked stale, with their real time', async (t) => {
  const world = await startWorld(t)
  for (const [userId, behaviour] of [
    ['usr_1', behaviours.noLiveBalance],
    ['usr_2', behaviours.veryOldBalances]
  ] as const) {
    world.clock.set('2026-06-14T18:00:00.000Z')
    await world.link(userId, openBank(`balances of ${userId}`, [behaviour]))
    world.clock.set('2026-06-16T20:30:00.000Z')
    const accounts = await accountsOf(world, userId)
    assert.ok(accounts.every(({ stale }) => stale === true))
    const card = accounts.find(({ name }) => name === 'Plaid Credit Card')
    const asOf = userId === 'usr_1' ? '2026-06-16T18:00:00.000Z' : '2026-04-17T20:30:00.000Z'
    assert.equal(card?.as_of, asOf, behaviour.name)
  }
})

test('history is loading, then recent, then complete, for the item and its feed', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1', 'ins_900005')
  const read = async () => {
    const client = new FeedClient(world, 'usr_1')
    await client.drain({ from: '' })
    const { body } = await world.get('/v1/transactions?user_id=usr_1')
    const dates = [...client.view.values()].map(({ date }) => String(date)).sort()
    return [(await itemsOf(world))[0]?.history, body.history, dates[0] ?? null]
  }
  assert.deepEqual(await read(), ['loading', 'loading', null])
  world.clock.advance(minutes(2))
  const [item, feed, oldest] = await read()
  assert.deepEqual([item, feed], ['recent', 'recent'])
  assert.ok(String(oldest) >= '2026-05-15')
  world.clock.advance(minutes(10))
  await world.settle()
  const complete = await read()
  assert.deepEqual(complete.slice(0, 2), ['complete', 'complete'])
  assert.ok(String(complete[2]) < '2026-03-01')
})

test('the first page of a new link shows the newest transactions, and later pages go back in time', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  const { body } = await world.get('/v1/transactions?user_id=usr_1&limit=40')
  const shown = body.transactions.map(({ date }: { date: string }) => date)
  const all = [...(await world.truthOf(itemId)).values()].map(({ date }) => String(date))
  assert.deepEqual(shown, all.sort().reverse().slice(0, 40))
})

test('items tell of accounts to add and of the end of the access, and update mode renews both', async (t) => {
  const world = await startWorld(t)
  const bank = openBank('warnings', [behaviours.expiringConsent, behaviours.moreAccounts])
  const { itemId } = await world.link('usr_1', bank)
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'NEW_ACCOUNTS_AVAILABLE' })
  await world.settle()
  const [item] = await itemsOf(world)
  assert.deepEqual(
    [item?.status, item?.access_ends_at, item?.new_accounts_available],
    ['ok', '2026-06-19T18:00:00.000Z', true]
  )
  world.clock.advance(days(2))
  const token = await world.post('/v1/link/token/create', { user_id: 'usr_1', item_id: itemId })
  const simulator = simulatorOf(world)
  const { public_token } = await simulator.completeLink(token.body.link_token)
  const again = await world.post('/v1/accounts/link', { public_token, user_id: 'usr_1' })
  assert.equal(again.body.item_id, itemId)
  assert.ok(again.body.accounts.some(({ name }: { name: string }) => name === 'Later Savings'))
  const [renewed] = await itemsOf(world)
  assert.deepEqual(
    [renewed?.error_code, renewed?.access_ends_at, renewed?.new_accounts_available],
    [null, '2026-06-21T18:00:00.000Z', false]
  )
})

test('amounts in yen and in dinars are exact in balances, feed and database', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1', 'ins_900004')
  await world.settle()
  const balances = Object.fromEntries(
    (await accountsOf(world)).map((account) => [account.iso_currency_code, account.current_balance])
  )
  assert.deepEqual([balances.JPY, balances.KWD, balances.EUR], [184_003, 91.275, 812.4])
  const { rows } = await sql<{ currency: string; amount: number }>`
    select iso_currency_code as currency, current_balance_cents as amount from accounts where iso_currency_code in ('JPY', 'KWD') order by 1`.execute(
    world.database.db
  )
  assert.deepEqual(rows, [
    { currency: 'JPY', amount: 184_003 },
    { currency: 'KWD', amount: 91_275 }
  ])
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  assert.deepEqual(client.view, await world.truthOf(itemId))
})
