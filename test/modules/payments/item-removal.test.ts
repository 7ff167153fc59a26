import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { send } from '../../credentials.ts'
import { simulatorOf, startWorld } from './world.ts'

const world = await startWorld(t)
const { transfer, simulate, get, post } = world
const { faults } = simulatorOf(world)

const remove = (itemId: string) => send(world.url, 'DELETE', `/v1/items/${itemId}`, { key: world.partner.testKey })

test('deleting an item with money in transit is rejected, and the response names the transfers', async () => {
  const [source, destination] = [await world.link('usr_a'), await world.link('usr_b')]
  const { id } = await transfer({ from_account_id: source.checking, to_account_id: destination.savings, amount: 10 })
  for (const event of ['pending', 'posted', 'settled']) {
    for (const { itemId } of [source, destination]) {
      const refused = await remove(itemId)
      assert.deepEqual([refused.status, refused.body.error, refused.body.transfers], [409, 'transfers_under_way', [id]])
    }
    await simulate(id, event)
  }
  assert.equal((await get(`/v1/transfers/${id}`)).body.status, 'settled')
  assert.deepEqual([(await remove(source.itemId)).status, (await remove(destination.itemId)).status], [204, 204])
})

test('the source’s item cannot be deleted during a refund', async () => {
  const [source, destination] = [await world.link('usr_c'), await world.link('usr_d')]
  const { id } = await transfer({ from_account_id: source.checking, to_account_id: destination.savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  await simulate(id, 'settled', 'debit')
  await simulate(id, 'failed', 'credit')
  assert.equal((await remove(source.itemId)).status, 409)
  await simulate(id, 'posted', 'refund')
  await simulate(id, 'settled', 'refund')
  assert.equal((await remove(source.itemId)).status, 204)
})

test('an item cannot be deleted while the outcome of a preparation is unknown', async () => {
  const { itemId, checking, savings } = await world.link('usr_e')
  faults.next('/transfer/create', 'drop_after', 3)
  assert.equal(
    (await post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 10 })).status,
    502
  )
  assert.equal((await remove(itemId)).status, 409)
})

test('a concurrent deletion and transfers cannot both succeed, so no deleted item has money in transit', async () => {
  for (let round = 0; round < 5; round++) {
    const { itemId, checking, savings } = await world.link(`usr_race_${round}`)
    const body = { from_account_id: checking, to_account_id: savings, amount: 1 }
    const [deleted, ...made] = await Promise.all([
      remove(itemId),
      ...Array.from({ length: 3 }, () => post('/v1/transfers', body))
    ])
    const accepted = made.filter(({ status }) => status === 200).length
    if (deleted.status === 204) assert.equal(accepted, 0, 'no transfer began with a deleted item')
    else assert.deepEqual([deleted.status, accepted > 0], [409, true], deleted.text)
    for (const { status, text } of made) assert.ok([200, 404].includes(status), text)
  }
})

test('a deletion that fails at Plaid leaves the item usable', async () => {
  const { itemId, checking, savings } = await world.link('usr_f')
  faults.next('/item/remove', 'INTERNAL_SERVER_ERROR', 10)
  assert.equal((await remove(itemId)).status, 502)
  faults.clear()
  const made = await post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 1 })
  assert.equal(made.status, 200, made.text)
})

test('an item being deleted accepts no transfers, and an interrupted deletion blocks them only briefly', async () => {
  const { itemId, checking, savings } = await world.link('usr_g')
  const body = { from_account_id: checking, to_account_id: savings, amount: 1 }
  await world.database.db
    .updateTable('items')
    .set({ removal_began_at: world.clock.now() })
    .where('id', '=', itemId)
    .execute()
  assert.equal((await post('/v1/transfers', body)).status, 404)
  world.clock.advance(11 * 60_000)
  assert.equal((await post('/v1/transfers', body)).status, 200)
})
