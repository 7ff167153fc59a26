import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { createPartner, send } from '../../credentials.ts'
import { until } from '../../machines/waiting.ts'
import { simulatorOf, startWorld, type Accounts } from './world.ts'

const world = await startWorld(t)
const { transfer, simulate, get, post } = world

/** Links a new item, so that no test uses funds held by another. */
const link = (): Promise<Accounts> => world.link()

type Leg = Record<'leg' | 'direction' | 'rail' | 'network' | 'status' | 'estimated_settlement', string>

const statesOf = (body: { events: { state: string }[] }) => body.events.map(({ state }) => state)

test('the example of the API reference runs as printed, with curl’s own content type', async () => {
  const [{ checking }, recipient] = [await link(), await world.recipient()]
  const response = await fetch(`${world.url}/v1/transfers`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${world.partner.testKey}`,
      'idempotency-key': 'a-uuid',
      'content-type': 'application/x-www-form-urlencoded'
    },
    body: `{ "from_account_id": "${checking}", "to_account_id": "${recipient}", "amount": 25.00, "currency": "USD", "memo": "Coffee" }`
  })
  const body = (await response.json()) as Record<string, unknown>
  assert.equal(response.status, 200)
  assert.match(String(body.id), /^tfr_/)
  assert.match(recipient, /^acc_recipient_/)
  assert.equal(body.status, 'submitted')
  // On a Sunday the debit waits for the banks, so the instant credit makes nothing fast.
  assert.equal(body.rail, 'ach')
  assert.deepEqual(
    (body.legs as Leg[]).map(({ direction, rail, status }) => `${direction} ${rail} ${status}`),
    ['debit ach pending', 'credit rtp wanted']
  )
  assert.equal(body.estimated_settlement, (body.legs as Leg[])[1]?.estimated_settlement)
  assert.match(String(body.estimated_settlement), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('reading a new transfer returns the same as creating it', async () => {
  const [{ checking, savings }, recipient] = [await link(), await world.recipient()]
  for (const to of [savings, recipient]) {
    const made = await transfer({
      from_account_id: checking,
      to_account_id: to,
      amount: 1.5,
      memo: 'A \u{1f375} coffee',
      legal_name: 'Ada'
    })
    assert.deepEqual((await get(`/v1/transfers/${made.id}`)).body, made)
  }
})

test('each state of a transfer is in its history and emitted once', async () => {
  const [{ checking }, recipient] = [await link(), await world.recipient()]
  const { id } = await transfer({ from_account_id: checking, to_account_id: recipient, amount: 10 })
  for (const event of ['pending', 'posted', 'settled']) {
    const response = await simulate(id, event)
    assert.equal(response.status, 200, response.text)
    assert.equal(response.body.status, event)
  }
  await world.sync()
  const { body } = await get(`/v1/transfers/${id}`)
  assert.deepEqual(statesOf(body), ['submitted', 'pending', 'posted', 'settled'])
  assert.deepEqual(body.legs, [
    {
      leg: 'debit',
      direction: 'debit',
      rail: 'ach',
      network: 'ach',
      status: 'settled',
      estimated_settlement: '2026-06-17T12:30:00.000Z'
    },
    {
      leg: 'credit',
      direction: 'credit',
      rail: 'rtp',
      network: 'rtp',
      status: 'settled',
      // The simulated debit has settled ahead of time, so the credit has begun earlier.
      estimated_settlement: new Date(world.clock.now().getTime() + 60_000).toISOString()
    }
  ])
  assert.equal(body.estimated_settlement, '2026-06-17T12:30:00.000Z')
  const { transfers } = (await get('/v1/transfers')).body
  const { events: _, ...summary } = body
  assert.deepEqual(
    transfers.find((each: { id: string }) => each.id === id),
    summary,
    'the list shows the same'
  )
  assert.deepEqual(await world.published(id), [
    'transfer.submitted',
    'transfer.pending',
    'transfer.posted',
    'transfer.settled'
  ])
})

test('a step of a payment that has not begun is rejected, and the problem names the payment and its state', async () => {
  const { checking, savings } = await link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  const refused = await simulate(id, 'settled', 'credit')
  assert.equal(refused.status, 409)
  const { status, error, leg, state, event } = refused.body
  assert.deepEqual(
    { status, error, leg, state, event },
    { status: 409, error: 'illegal_transition', leg: 'credit', state: 'not begun', event: 'settled' }
  )
})

test('no credit is sent before the debit has settled', async () => {
  const { checking, savings } = await link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  const posted = await simulate(id, 'posted')
  assert.deepEqual(
    posted.body.legs.map(({ leg, status }: Leg) => `${leg} ${status}`),
    ['debit posted', 'credit wanted']
  )
  const settled = await simulate(id, 'settled', 'debit')
  assert.equal(settled.body.status, 'posted')
  const { estimated_settlement: estimate, ...credit } = settled.body.legs[1]
  assert.deepEqual(credit, { leg: 'credit', direction: 'credit', rail: 'rtp', network: 'rtp', status: 'pending' })
  assert.equal(Date.parse(estimate), world.clock.now().getTime() + 60_000)
  assert.equal((await simulate(id, 'posted', 'credit')).body.status, 'posted')
  assert.equal((await simulate(id, 'settled', 'credit')).body.status, 'settled')
})

test('after a failed credit the money returns, and the transfer gives the reason', async () => {
  const { checking, savings } = await link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(id, 'pending')
  await simulate(id, 'posted')
  await simulate(id, 'settled', 'debit')
  const failed = await simulate(id, 'failed', 'credit')
  assert.equal(failed.body.status, 'posted')
  assert.deepEqual(
    failed.body.legs.map(({ leg, status }: { leg: string; status: string }) => `${leg} ${status}`),
    ['debit settled', 'credit failed', 'refund pending']
  )
  assert.equal((await simulate(id, 'settled')).status, 409)
  await simulate(id, 'posted', 'refund')
  const returned = await simulate(id, 'settled', 'refund')
  assert.equal(returned.body.status, 'returned')
  assert.equal(returned.body.events.at(-1).reason, 'The transfer could not be sent to the network')
})

test('a returned or failed debit ends the transfer', async () => {
  const { checking, savings } = await link()
  const returned = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  await simulate(returned.id, 'pending')
  await simulate(returned.id, 'posted')
  const back = await simulate(returned.id, 'returned')
  assert.equal(back.body.status, 'returned')
  assert.equal(back.body.events.at(-1).reason, 'R01: Insufficient funds')
  const failed = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  assert.equal((await simulate(failed.id, 'failed')).body.status, 'failed')
  assert.equal((await simulate(failed.id, 'posted')).status, 409)
})

test('a step that the state does not allow gets 409 illegal_transition and changes nothing', async () => {
  const { checking, savings } = await link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  for (const event of ['posted', 'settled', 'returned']) {
    const refused = await simulate(id, event)
    assert.equal(refused.status, 409, event)
    assert.equal(refused.body.title, 'illegal_transition')
  }
  for (const event of ['pending', 'posted', 'settled']) await simulate(id, event)
  for (const event of ['pending', 'posted', 'settled', 'failed', 'returned'])
    assert.equal((await simulate(id, event)).status, 409, event)
  assert.deepEqual(statesOf((await get(`/v1/transfers/${id}`)).body), ['submitted', 'pending', 'posted', 'settled'])
})

test('only a submitted transfer can be cancelled, and cancelling releases its hold', async () => {
  const { checking, savings } = await link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 100 })
  assert.equal(
    (await post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 1 })).status,
    422
  )
  const cancelled = await post(`/v1/transfers/${id}/cancel`)
  assert.equal(cancelled.body.status, 'cancelled', cancelled.text)
  await world.sync()
  assert.deepEqual(await world.published(id), ['transfer.submitted', 'transfer.cancelled'])
  assert.equal((await post(`/v1/transfers/${id}/cancel`)).body.title, 'transfer_not_cancellable')
  const next = await transfer({ from_account_id: checking, to_account_id: savings, amount: 100 })
  await simulate(next.id, 'pending')
  assert.equal((await post(`/v1/transfers/${next.id}/cancel`)).status, 409)
})

test('concurrent transfers cannot hold the same funds twice', async () => {
  const { checking, savings } = await link()
  const responses = await Promise.all(
    Array.from({ length: 12 }, () =>
      post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 30 })
    )
  )
  assert.equal(responses.filter(({ status }) => status === 200).length, 3)
  const refused = responses.filter(({ status }) => status !== 200)
  assert(refused.every(({ body }) => body.title === 'insufficient_funds' && body.available < 30))
  assert.equal(
    (await post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 30 })).body.available,
    10
  )
})

test('a transfer that is not possible is rejected with the reason', async () => {
  const { checking, savings, moneyMarket, credit } = await link()
  const titleOf = async (body: Record<string, unknown>) => {
    const { status, body: problem } = await post('/v1/transfers', {
      from_account_id: checking,
      to_account_id: savings,
      amount: 10,
      ...body
    })
    return `${status} ${problem.title}`
  }
  assert.equal(await titleOf({ to_account_id: checking }), '422 same_account')
  assert.equal(await titleOf({ from_account_id: moneyMarket }), '422 account_not_transferable')
  assert.equal(await titleOf({ to_account_id: credit }), '422 account_not_transferable')
  assert.equal(await titleOf({ currency: 'EUR' }), '422 currency_mismatch')
  assert.equal(await titleOf({ rail: 'same_day_ach' }), '422 rail_unavailable')
  assert.equal(await titleOf({ amount: 100.01 }), '422 insufficient_funds')
  assert.equal(await titleOf({ amount: 0 }), '400 validation_failed')
  assert.equal(await titleOf({ amount: 1.005 }), '400 validation_failed')
  assert.equal(await titleOf({ from_account_id: 'acc_unknown' }), '404 not_found')
  assert.equal(await titleOf({ to_account_id: 'acc_recipient_unknown' }), '404 not_found')
})

test('a transfer from an item with a broken login is declined with Plaid’s reason and holds nothing', async () => {
  const { checking, savings, itemId } = await link()
  await post(`/v1/sandbox/items/${itemId}/reset_login`)
  const declined = await post('/v1/transfers', { from_account_id: checking, to_account_id: savings, amount: 10 })
  assert.equal(declined.status, 422)
  assert.equal(declined.body.title, 'transfer_declined')
  assert.equal(declined.body.reason, 'ITEM_LOGIN_REQUIRED')
  const holds = await world.database.db
    .selectFrom('transfer_holds')
    .selectAll()
    .where('account_id', '=', checking)
    .execute()
  assert.deepEqual(holds, [])
})

test('an idempotency key moves money once', async () => {
  const { checking, savings } = await link()
  const body = { from_account_id: checking, to_account_id: savings, amount: 60 }
  const first = await post('/v1/transfers', body, undefined, { 'idempotency-key': 'move-it-once' })
  const second = await post('/v1/transfers', body, undefined, { 'idempotency-key': 'move-it-once' })
  assert.equal(second.text, first.text)
  assert.equal(second.headers.get('idempotent-replayed'), 'true')
})

test('requests without a key are separate transfers, even with the same request id', async () => {
  const { checking, savings } = await link()
  const body = { from_account_id: checking, to_account_id: savings, amount: 10 }
  const ids = new Set<string>()
  for (let i = 0; i < 2; i++)
    ids.add((await post('/v1/transfers', body, undefined, { 'x-request-id': 'req_same' })).body.id)
  assert.equal(ids.size, 2)
})

test('transfers, accounts and recipients of other partners return 404', async () => {
  const { checking, savings } = await link()
  const recipient = await world.recipient()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  const other = await createPartner(world.database)
  const theirs = await world.link('usr_other', other.testKey)
  for (const body of [
    { from_account_id: checking, to_account_id: theirs.savings, amount: 1 },
    { from_account_id: theirs.checking, to_account_id: savings, amount: 1 },
    { from_account_id: theirs.checking, to_account_id: recipient, amount: 1 }
  ]) {
    assert.equal((await post('/v1/transfers', body, other.testKey)).status, 404)
  }
  assert.equal((await get(`/v1/transfers/${id}`, other.testKey)).status, 404)
  assert.equal((await post(`/v1/transfers/${id}/cancel`, undefined, other.testKey)).status, 404)
  assert.equal((await post(`/v1/sandbox/transfers/${id}/simulate`, { event: 'pending' }, other.testKey)).status, 404)
  assert.deepEqual((await get('/v1/transfers', other.testKey)).body.transfers, [])
  assert.deepEqual((await get('/v1/recipients', other.testKey)).body.recipients, [])
  assert.equal((await send(world.url, 'DELETE', `/v1/recipients/${recipient}`, { key: other.testKey })).status, 404)
})

test('pages contain every transfer once, newest first', async () => {
  const { checking, savings } = await link()
  const user = 'usr_pages'
  const theirs = await world.link(user)
  const made: string[] = []
  for (let i = 0; i < 5; i++) {
    world.clock.advance(1_000)
    made.push((await transfer({ from_account_id: theirs.checking, to_account_id: theirs.savings, amount: 1 })).id)
  }
  await transfer({ from_account_id: checking, to_account_id: savings, amount: 1 })
  const seen: string[] = []
  for (let cursor = ''; ;) {
    const { body } = await get(`/v1/transfers?user_id=${user}&limit=2&cursor=${encodeURIComponent(cursor)}`)
    seen.push(...body.transfers.map((row: { id: string }) => row.id))
    if (!body.has_more) break
    cursor = body.next_cursor
  }
  assert.deepEqual(seen, made.reverse())
  assert.equal((await get('/v1/transfers?status=settled&user_id=usr_pages')).body.transfers.length, 0)
})

test('Plaid’s webhook alone updates a transfer', async () => {
  const { checking, savings } = await link()
  const { id } = await transfer({ from_account_id: checking, to_account_id: savings, amount: 10 })
  const leg = await world.database.db
    .selectFrom('transfer_legs')
    .select('plaid_transfer_id')
    .where('transfer_id', '=', id)
    .executeTakeFirstOrThrow()
  await world.app.plaid
    .in('test')
    .call((api) => api.sandboxTransferSimulate({ transfer_id: leg.plaid_transfer_id ?? '', event_type: 'posted' }), {
      repeatable: false
    })
  // No job polls Plaid during this time: the interval is longer than the wait.
  await until(
    'the transfer is posted',
    async () => statesOf((await get(`/v1/transfers/${id}`)).body).includes('posted'),
    15_000
  )
  const { body } = await get(`/v1/transfers/${id}`)
  assert.deepEqual(statesOf(body), ['submitted', 'pending', 'posted'])
})

test('the account number of a recipient is neither returned nor stored in plain text', async () => {
  const made = await post('/v1/recipients', {
    name: 'Ada',
    routing_number: '011401533',
    account_number: '1111222233330000',
    account_type: 'savings',
    user_id: 'usr_1'
  })
  assert.equal(made.status, 201)
  assert.equal(made.body.mask, '0000')
  assert(!made.text.includes('111122223333'))
  const row = await world.database.db
    .selectFrom('recipients')
    .selectAll()
    .where('id', '=', made.body.id)
    .executeTakeFirstOrThrow()
  assert(!Buffer.from(row.account_number ?? '').includes('1111222233330000'))
  const refused = await post('/v1/recipients', {
    name: 'Ada',
    routing_number: '021000022',
    account_number: '1111',
    account_type: 'savings'
  })
  assert.equal(refused.status, 400)
  assert.equal(refused.body.errors[0].path, 'body/routing_number')
  const gone = await send(world.url, 'DELETE', `/v1/recipients/${made.body.id}`, { key: world.partner.testKey })
  assert.equal(gone.status, 204)
  assert.equal((await get('/v1/recipients?user_id=usr_1')).body.recipients.length, 0)
  await world.sweep()
  const erased = await world.database.db
    .selectFrom('recipients')
    .selectAll()
    .where('id', '=', made.body.id)
    .executeTakeFirstOrThrow()
  assert.equal(erased.account_number ?? erased.access_token, null)
})

test('a transfer under way still reaches a recipient that is deleted meanwhile', async () => {
  const [{ checking }, recipient] = [await link(), await world.recipient()]
  const { id } = await transfer({ from_account_id: checking, to_account_id: recipient, amount: 10 })
  await send(world.url, 'DELETE', `/v1/recipients/${recipient}`, { key: world.partner.testKey })
  await world.sweep()
  for (const event of ['pending', 'posted', 'settled']) assert.equal((await simulate(id, event)).body.status, event)
  assert.equal(
    (await post('/v1/transfers', { from_account_id: checking, to_account_id: recipient, amount: 1 })).status,
    404
  )
})

test('sandbox steps reject live keys', async () => {
  const { database } = world
  const live = await createPartner(database, { production: true })
  assert.equal((await post('/v1/sandbox/transfers/tfr_x/simulate', { event: 'pending' }, live.liveKey)).status, 403)
  assert.ok(simulatorOf(world))
})
