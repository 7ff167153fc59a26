import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { simulatorOf, startWorld } from './world.ts'

const world = await startWorld(t)
const { simulate, get } = world
const { db } = world.database
const { faults, takeBackDebit } = simulatorOf(world)

/** A transfer with a posted debit, whose credit is sent at the next step. */
const postedTransfer = async (): Promise<string> => {
  const { checking, savings } = await world.link()
  const { id } = await world.transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  return id
}

const takeBack = async (id: string): Promise<void> => {
  const debit = await db
    .selectFrom('transfer_legs')
    .select('plaid_transfer_id')
    .where('transfer_id', '=', id)
    .where('kind', '=', 'debit')
    .executeTakeFirstOrThrow()
  await takeBackDebit(debit.plaid_transfer_id ?? '')
}

/** Lets running syncs end, then syncs again after the retry delay of failed attempts. */
const syncAnew = async (): Promise<void> => {
  await world.sync()
  world.clock.advance(31_000)
  await world.sync()
}

const stateOf = async (id: string): Promise<string[]> => {
  const { body } = await get(`/v1/transfers/${id}`)
  return [body.status, ...(body.legs as { leg: string; status: string }[]).map(({ leg, status }) => `${leg} ${status}`)]
}

/** The statuses of the transfer's credits and refunds at Plaid. */
const creditsAtPlaid = async (id: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('simulators.plaid_transfers as transfer')
    .innerJoin(
      'simulators.plaid_authorizations as authorization',
      'authorization.authorization_id',
      'transfer.authorization_id'
    )
    .select(['transfer.metadata', 'transfer.status', 'authorization.type'])
    .execute()
  return rows
    .filter(({ metadata, type }) => metadata?.transfer_id === id && type === 'credit')
    .map(({ status }) => status)
}

test('a credit pending at Plaid is cancelled when the bank takes back its debit', async () => {
  const id = await postedTransfer()
  await simulate(id, 'settled', 'debit')
  assert.deepEqual(await creditsAtPlaid(id), ['pending'])
  await takeBack(id)
  await syncAnew()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit cancelled'])
  assert.deepEqual(await creditsAtPlaid(id), ['cancelled'])
  assert.deepEqual((await world.published(id)).at(-1), 'transfer.returned')
})

test('a credit whose submission got no response is found and cancelled when its debit was returned', async () => {
  const id = await postedTransfer()
  faults.next('/transfer/create', 'drop_after', 100)
  await simulate(id, 'settled', 'debit')
  await takeBack(id)
  await syncAnew()
  faults.clear()
  await syncAnew()
  assert.deepEqual(await creditsAtPlaid(id), ['cancelled'])
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit cancelled'])
})

test('a credit Plaid never got is not sent after its debit was returned, and is eventually given up', async () => {
  const id = await postedTransfer()
  faults.next('/transfer/create', 'drop', 100)
  await simulate(id, 'settled', 'debit')
  await world.sync()
  await takeBack(id)
  await syncAnew()
  faults.clear()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit wanted'])
  world.clock.advance(10 * 60_000)
  await world.sync()
  assert.deepEqual(await creditsAtPlaid(id), [])
  world.clock.advance(60 * 60_000)
  await world.sync()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit cancelled'])
  assert.deepEqual(await creditsAtPlaid(id), [])
})

test('when Plaid does not respond, the server retries until the credit is cancelled', async () => {
  const id = await postedTransfer()
  await simulate(id, 'settled', 'debit')
  await takeBack(id)
  faults.next('/transfer/cancel', 'INTERNAL_SERVER_ERROR', 100)
  await syncAnew()
  faults.clear()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit pending'])
  world.clock.advance(6 * 60_000)
  await world.sync()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit cancelled'])
})

test('a credit already in its network is left to arrive, and a returned debit gets no refund', async () => {
  const id = await postedTransfer()
  await simulate(id, 'settled', 'debit')
  await simulate(id, 'posted', 'credit')
  await takeBack(id)
  await syncAnew()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit posted'])
  await simulate(id, 'returned', 'credit')
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit returned'])
})

test('a pending refund is cancelled when the bank takes back the debit, so the money returns once', async () => {
  const id = await postedTransfer()
  await simulate(id, 'settled', 'debit')
  await simulate(id, 'failed', 'credit')
  await takeBack(id)
  await syncAnew()
  assert.deepEqual(await stateOf(id), ['returned', 'debit returned', 'credit failed', 'refund cancelled'])
  assert.deepEqual((await creditsAtPlaid(id)).sort(), ['cancelled', 'failed'])
})
