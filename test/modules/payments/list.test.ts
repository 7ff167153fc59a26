import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startWorld } from './world.ts'

const world = await startWorld(t)
const { get, simulate, transfer } = world

const [ada, bob] = [await world.link('usr_ada'), await world.link('usr_bob')]
const hourMs = 3_600_000

/** Creates a transfer each hour. Returns the ids, newest first. */
const made: string[] = []
const make = async (from: string, to: string, amount: number): Promise<string> => {
  world.clock.advance(hourMs)
  const { id } = await transfer({ from_account_id: from, to_account_id: to, amount })
  made.unshift(id)
  return id
}
const out = await make(ada.checking, ada.savings, 1)
const back = await make(ada.savings, ada.checking, 2.5)
const across = await make(bob.checking, ada.savings, 2.5)
const other = await make(bob.savings, bob.checking, 3)
await simulate(out, 'pending')

const idsOf = async (query: string): Promise<string[]> => {
  const { status, body, text } = await get(`/v1/transfers?${query}`)
  assert.equal(status, 200, text)
  return body.transfers.map(({ id }: { id: string }) => id)
}

test('transfers are filtered by status, account, amount, end-user and time, and all filters must match', async () => {
  assert.deepEqual(await idsOf(''), made)
  assert.deepEqual(await idsOf('status=pending'), [out])
  assert.deepEqual(await idsOf(`account_id=${ada.savings}`), [across, back, out], 'as source and as destination')
  assert.deepEqual(await idsOf(`account_id=${bob.savings}`), [other])
  assert.deepEqual(await idsOf('account_id=acc_unknown'), [])
  assert.deepEqual(await idsOf('amount=2.5'), [across, back])
  assert.deepEqual(await idsOf('amount=2.50&user_id=usr_bob'), [across])
  assert.deepEqual(await idsOf(`amount=2.5&account_id=${ada.checking}&status=submitted`), [back])
  assert.deepEqual(await idsOf('from=2026-06-14T20:00:00Z&to=2026-06-14T22:00:00Z'), [across, back])
  assert.deepEqual(await idsOf('from=2026-06-14T23:00:00%2B02:00'), [other, across])
  assert.deepEqual(await idsOf('from=2026-06-14&to=2026-06-14'), made)
  assert.deepEqual(await idsOf('from=2026-06-15'), [])
  assert.deepEqual(await idsOf('to=2026-06-13'), [])
})

test('the pages of a filtered list contain every transfer once', async () => {
  for (const filter of [`account_id=${ada.savings}`, 'from=2026-06-14', 'status=submitted']) {
    const whole = await idsOf(filter)
    assert(whole.length >= 3)
    const paged: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await get(`/v1/transfers?${filter}&limit=1&cursor=${cursor}`)
      paged.push(...body.transfers.map(({ id }: { id: string }) => id))
      cursor = body.next_cursor
    }
    assert.deepEqual(paged, whole)
  }
})

test('a cursor of one filter is rejected with another', async () => {
  const { next_cursor: cursor } = (await get('/v1/transfers?status=submitted&limit=1')).body
  assert.equal((await get(`/v1/transfers?limit=1&status=submitted&cursor=${cursor}`)).status, 200)
  for (const query of ['', 'status=pending&', 'status=submitted&amount=2.5&', 'user_id=submitted&']) {
    const { status, body } = await get(`/v1/transfers?${query}cursor=${cursor}`)
    assert.deepEqual([status, body.error], [400, 'invalid_cursor'], query)
  }
})

test('wrong filters are rejected', async () => {
  for (const query of [
    'status=preparing',
    'status=',
    'amount=0',
    'amount=1.001',
    'amount=much',
    'account_id=',
    'from=yesterday',
    'from=2026-02-30',
    'to=2026-06-14T18:00:00',
    'to=9999-01-01',
    'from=2026-06-15&to=2026-06-14',
    'from=2026-06-14T18:00:00Z&to=2026-06-14T18:00:00Z'
  ]) {
    const { status, body } = await get(`/v1/transfers?${query}`)
    assert.deepEqual([status, body.error], [400, 'validation_failed'], query)
  }
})
