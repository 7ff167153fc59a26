import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { simulatorOf, startWorld } from './world.ts'

const world = await startWorld(t)
const { transfer, simulate, get, post } = world
const { db } = world.database
const { faults } = simulatorOf(world)

const atPlaid = async (transferId: string) =>
  (await db.selectFrom('simulators.plaid_transfers').select(['transfer_id', 'metadata', 'status']).execute()).filter(
    ({ metadata }) => metadata?.transfer_id === transferId
  )

const rowsFrom = (accountId: string) =>
  db.selectFrom('transfers').selectAll().where('from_account_id', '=', accountId).execute()
const heldOf = async (accountId: string) =>
  (await db.selectFrom('account_funds').select('held_cents').where('account_id', '=', accountId).executeTakeFirst())
    ?.held_cents

test('when every Plaid response is lost, a retry with the same key finds the one transfer that was made', async () => {
  const { checking, savings } = await world.link()
  const body = { from_account_id: checking, to_account_id: savings, amount: 80 }
  faults.next('/transfer/create', 'drop_after', 3)
  const lost = await post('/v1/transfers', body, undefined, { 'idempotency-key': 'lost' })
  assert.equal(lost.status, 502)
  assert.deepEqual((await get('/v1/transfers')).body.transfers, [])
  const found = await post('/v1/transfers', body, undefined, { 'idempotency-key': 'lost' })
  assert.equal(found.status, 200, found.text)
  assert.equal((await atPlaid(found.body.id)).length, 1)
  assert.equal((await rowsFrom(checking)).length, 1)
})

test('Plaid events from before the response are part of it, and are emitted in order', async () => {
  const { checking, savings } = await world.link()
  const body = { from_account_id: checking, to_account_id: savings, amount: 5 }
  faults.next('/transfer/create', 'drop_after', 3)
  assert.equal((await post('/v1/transfers', body, undefined, { 'idempotency-key': 'overtaken' })).status, 502)
  const [prepared] = await rowsFrom(checking)
  const transfer_id = (await atPlaid(prepared?.id ?? ''))[0]?.transfer_id ?? ''
  await world.app.plaid
    .in('test')
    .call((api) => api.sandboxTransferSimulate({ transfer_id, event_type: 'posted' }), { repeatable: false })
  await world.sync()
  const response = await post('/v1/transfers', body, undefined, { 'idempotency-key': 'overtaken' })
  assert.equal(response.status, 200, response.text)
  assert.deepEqual([response.body.id, response.body.status], [prepared?.id, 'posted'])
  assert.deepEqual(
    response.body.events.map(({ state }: { state: string }) => state),
    ['submitted', 'pending', 'posted']
  )
  assert.deepEqual(response.body, (await get(`/v1/transfers/${response.body.id}`)).body)
  assert.deepEqual(await world.published(response.body.id), [
    'transfer.submitted',
    'transfer.pending',
    'transfer.posted'
  ])
})

test('without a retry, a transfer that Plaid has is completed, and a late retry gets the same transfer', async () => {
  const { checking, savings } = await world.link()
  const body = { from_account_id: checking, to_account_id: savings, amount: 80 }
  faults.next('/transfer/create', 'error_after', 3)
  assert.equal((await post('/v1/transfers', body, undefined, { 'idempotency-key': 'late' })).status, 502)
  world.clock.advance(11 * 60_000)
  await world.sweep()
  const [row] = await rowsFrom(checking)
  assert.equal(row?.state, 'submitted')
  const late = await post('/v1/transfers', body, undefined, { 'idempotency-key': 'late' })
  assert.equal(late.body.id, row?.id)
  assert.equal((await rowsFrom(checking)).length, 1)
})

test('a transfer that Plaid never received is undone, and its hold is released', async () => {
  const { checking, savings } = await world.link()
  const body = { from_account_id: checking, to_account_id: savings, amount: 80 }
  faults.next('/transfer/create', 'drop', 3)
  assert.equal((await post('/v1/transfers', body, undefined, { 'idempotency-key': 'never' })).status, 502)
  assert.equal(await heldOf(checking), 8_000)
  world.clock.advance(11 * 60_000)
  await world.sweep()
  assert.deepEqual(await rowsFrom(checking), [])
  assert.equal(await heldOf(checking), 0)
  assert.equal((await post('/v1/transfers', body, undefined, { 'idempotency-key': 'never' })).status, 200)
})

test('a failed authorization leaves no hold', async () => {
  const { checking, savings } = await world.link()
  faults.next('/transfer/authorization/create', 'drop', 3)
  assert.equal(
    (await post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 80 })).status,
    502
  )
  assert.equal(await heldOf(checking), 0)
})

test('a credit whose response is lost is sent once, and found by a later sync', async () => {
  const { checking, savings } = await world.link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  // The sync triggered by Plaid's webhook also tries to send it.
  faults.next('/transfer/create', 'drop_after', 100)
  const settled = await simulate(id, 'settled', 'debit')
  await world.sync()
  faults.clear()
  assert.equal(settled.body.legs[1].status, 'wanted')
  assert.equal((await atPlaid(id)).length, 2)
  // By then the authorization has expired, which must not cause a second payment.
  world.clock.advance(2 * 3_600_000)
  await world.sync()
  assert.equal((await get(`/v1/transfers/${id}`)).body.legs[1].status, 'pending')
  assert.equal((await atPlaid(id)).length, 2)
  assert.equal((await simulate(id, 'settled')).body.status, 'settled')
})

test('a credit not sent before its authorization expires gets a new authorization', async () => {
  const { checking, savings } = await world.link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  faults.next('/transfer/create', 'drop', 100)
  await simulate(id, 'settled', 'debit')
  await world.sync()
  faults.clear()
  assert.equal((await atPlaid(id)).length, 1)
  world.clock.advance(2 * 3_600_000)
  await world.sync()
  assert.equal((await atPlaid(id)).length, 2)
  assert.equal((await simulate(id, 'settled')).body.status, 'settled')
})

test('when the destination’s login breaks during a transfer, the money returns to the source', async () => {
  const [source, destination] = [await world.link('usr_a'), await world.link('usr_b')]
  const { id } = await transfer({ from_account_id: source.checking, to_account_id: destination.savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  await post(`/v1/sandbox/items/${destination.itemId}/reset_login`)
  const settled = await simulate(id, 'settled', 'debit')
  assert.deepEqual(
    settled.body.legs.map(({ leg, status }: { leg: string; status: string }) => `${leg} ${status}`),
    ['debit settled', 'credit failed', 'refund pending']
  )
  const returned = await simulate(id, 'returned')
  assert.equal(returned.body.status, 'returned', returned.text)
  assert.match(returned.body.events.at(-1).reason, /^ITEM_LOGIN_REQUIRED: /)
})

test('a failed refund is retried by ACH until the money is back', async () => {
  const { checking, savings } = await world.link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  await simulate(id, 'settled', 'debit')
  await simulate(id, 'failed', 'credit')
  const failed = await simulate(id, 'failed', 'refund')
  assert.equal(failed.body.status, 'posted')
  const { estimated_settlement: estimate, ...refund } = failed.body.legs.at(-1)
  assert.deepEqual(refund, { leg: 'refund', direction: 'credit', rail: 'ach', network: 'ach', status: 'wanted' })
  assert.equal(failed.body.estimated_settlement, estimate, 'the money arrives with the last leg')
  world.clock.advance(3_600_001)
  await world.sync()
  assert.equal((await simulate(id, 'returned')).body.status, 'returned')
})

test('concurrent syncs apply each event once', async () => {
  const { checking, savings } = await world.link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  await Promise.all(Array.from({ length: 6 }, () => simulate(id, 'posted')))
  const responses = await Promise.all(Array.from({ length: 6 }, () => simulate(id, 'settled')))
  assert(responses.some(({ status }) => status === 200))
  const { body } = await get(`/v1/transfers/${id}`)
  assert.deepEqual(
    body.events.map(({ state }: { state: string }) => state),
    ['submitted', 'pending', 'posted', 'settled']
  )
  assert.equal((await atPlaid(id)).length, 2)
  assert.deepEqual(await world.published(id), [
    'transfer.submitted',
    'transfer.pending',
    'transfer.posted',
    'transfer.settled'
  ])
})
