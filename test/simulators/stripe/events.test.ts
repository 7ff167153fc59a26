import assert from 'node:assert/strict'
import Stripe from 'stripe'
import { before, beforeEach, t, test } from 'tap'
import { createStripeSimulator } from '../../../simulators/stripe/index.ts'
import { signatureHeader } from '../../../simulators/stripe/signature.ts'
import { buy, openWorld, secretKey, sessionParams, type World } from './world.ts'

const paidTypes = ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed']
let world: World
before(async () => {
  world = await openWorld()
})
beforeEach(async () => {
  world.reset()
  await world.simulator.settled()
  world.reset()
})
t.teardown(async () => {
  await world.close()
})

test("the signature matches Stripe's: a known vector, and the package's own verification", async () => {
  const payload = '{"id":"evt_test_webhook","object":"event"}'
  const header = signatureHeader('whsec_test_secret', payload, 1_700_000_000)
  assert.equal(header, 't=1700000000,v1=d95c6b7477fbd7e9f90b1b0ef5f9c7ac25abca5382460e0d988c2b2a5b71b990')
  const event = world.stripe.webhooks.constructEvent(
    payload,
    header,
    'whsec_test_secret',
    300,
    undefined,
    1_700_000_000_000
  )
  assert.equal(event.id, 'evt_test_webhook')
  assert.throws(
    () =>
      world.stripe.webhooks.constructEvent(
        `${payload} `,
        header,
        'whsec_test_secret',
        300,
        undefined,
        1_700_000_000_000
      ),
    Stripe.errors.StripeSignatureVerificationError
  )
})

test('a delivered event can be read, and has no pending webhooks', async () => {
  await buy(world)
  await world.simulator.settled()
  const sent = world.received[2]
  assert.ok(sent !== undefined)
  const read = await world.stripe.events.retrieve(sent.event.id)
  assert.equal(read.type, 'checkout.session.completed')
  assert.equal(read.pending_webhooks, 0)
  assert.equal(read.api_version, Stripe.API_VERSION)
  const listed = await world.stripe.events.list({ types: ['checkout.session.completed'], limit: 1 })
  assert.equal(listed.data[0]?.id, sent.event.id)
})

test('an event is retried after its backoff with the same bytes until it is accepted', async () => {
  world.endpoint.statuses.push(200, 200, 500, 302)
  await buy(world)
  await world.simulator.settled()
  assert.deepEqual(world.types(), paidTypes)
  world.turn(1000)
  await world.simulator.settled()
  assert.equal(world.received.length, 4)
  world.turn(4000)
  await world.simulator.settled()
  assert.equal(world.received.length, 4)
  world.turn(1000)
  await world.simulator.settled()
  assert.equal(world.received.length, 5)
  assert.equal(world.received[4]?.body, world.received[2]?.body)
  assert.notEqual(world.received[4]?.headers['stripe-signature'], world.received[2]?.headers['stripe-signature'])
})

test('attempts are bounded, and a restart retries events that were given up', async () => {
  await buy(world)
  await world.simulator.settled()
  world.reset()
  const created = await world.stripe.checkout.sessions.create(sessionParams())
  world.endpoint.statuses.push(...Array.from({ length: 6 }, () => 500))
  await world.stripe.checkout.sessions.expire(created.id)
  for (let round = 0; round < 12; round += 1) {
    await world.simulator.settled()
    world.turn(3_600_000)
  }
  assert.equal(world.received.length, 6)
  const restarted = await createStripeSimulator(world.options)
  await restarted.resendPending()
  assert.equal(world.received.length, 7)
  assert.equal(world.received[6]?.event.type, 'checkout.session.expired')
  await restarted.resendPending()
  assert.equal(world.received.length, 7)
  await restarted.api.close()
})

test('two instances on one database send each event once', async () => {
  world.faults.hold = true
  await buy(world)
  await buy(world)
  await world.simulator.settled()
  await world.db
    .updateTable('simulators.stripe_event_log')
    .set({ state: 'pending' })
    .where('state', '=', 'held')
    .execute()
  const other = await createStripeSimulator(world.options)
  await Promise.all([world.simulator.settled(), other.settled()])
  assert.equal(world.received.length, 6)
  assert.equal(new Set(world.received.map(({ event }) => event.id)).size, 6)
  await other.api.close()
})

test('events can be sent twice on demand, sequentially or concurrently', async () => {
  for (const duplicatesAtOnce of [false, true]) {
    world.reset()
    await world.control('/simulator/faults', { duplicates: 1, duplicatesAtOnce })
    await buy(world)
    await world.simulator.settled()
    assert.equal(world.received.length, 6)
    for (const type of paidTypes) {
      const copies = world.received.filter(({ event }) => event.type === type)
      assert.equal(copies.length, 2)
      assert.equal(copies[0]?.body, copies[1]?.body)
    }
  }
})

test('events can be sent out of order on demand', async () => {
  await world.control('/simulator/faults', { reorder: true })
  await buy(world)
  await world.simulator.settled()
  assert.deepEqual(world.types(), paidTypes.toReversed())
})

test('events can be delayed on demand, until released or until a time', async () => {
  await world.control('/simulator/faults', { hold: true })
  await buy(world)
  await world.simulator.settled()
  assert.deepEqual(world.types(), [])
  await world.control('/simulator/faults')
  await world.simulator.settled()
  assert.deepEqual(world.types(), [])
  world.turn(3 * 86_400_000)
  const released = await world.control('/simulator/events/release', { order: 'newest_first' })
  assert.equal(released.status, 200)
  assert.deepEqual(world.types(), paidTypes.toReversed())
  world.reset()
  world.faults.delayMs = 60_000
  await buy(world)
  await world.simulator.settled()
  assert.deepEqual(world.types(), [])
  world.turn(60_000)
  await world.simulator.settled()
  assert.deepEqual(world.types(), paidTypes)
})

test('any event can be sent again, alone or in any order', async () => {
  await buy(world)
  await world.simulator.settled()
  const ids = world.received.map(({ event }) => event.id)
  world.reset()
  const again = await world.control(`/simulator/events/${ids[2]}/send`)
  assert.equal(again.body.state, 'delivered')
  await world.control('/simulator/events/release', { events: [ids[1], ids[0]] })
  assert.deepEqual(
    world.received.map(({ event }) => event.id),
    [ids[2], ids[1], ids[0]]
  )
  assert.equal((await world.control('/simulator/events/evt_none/send')).status, 404)
})

test("the package's own retry after a lost response causes one refund, not two", async () => {
  const { paymentIntent } = await buy(world)
  const patient = world.connect(secretKey, { maxNetworkRetries: 2 })
  for (const kind of ['drop_after', 'drop', 'error', 'slow'] as const) {
    world.faults.requests = [{ kind, path: '/v1/refunds', method: 'POST', delayMs: 1 }]
    const refund = await patient.refunds.create({ payment_intent: paymentIntent, amount: 100 })
    assert.equal(refund.lastResponse.headers['idempotent-replayed'], kind === 'drop_after' ? 'true' : undefined)
    assert.equal(world.faults.requests.length, 0)
  }
  assert.deepEqual(
    (await world.stripe.refunds.list({ payment_intent: paymentIntent })).data.map(({ amount }) => amount),
    [100, 100, 100, 100]
  )
})

test('rolled-back changes send nothing, and closing leaves unsent events for the next start', async () => {
  world.faults.hold = true
  const { paymentIntent } = await buy(world)
  await assert.rejects(world.stripe.refunds.create({ payment_intent: paymentIntent, amount: 5000 }))
  // Twice, because the first round may have begun before the failed request triggered its own.
  await world.simulator.settled()
  await world.simulator.settled()
  const kept = await world.db
    .selectFrom('simulators.stripe_event_log')
    .select('type')
    .where('state', '=', 'held')
    .orderBy('sequence')
    .execute()
  assert.deepEqual(
    kept.map(({ type }) => type),
    paidTypes
  )
  await world.db
    .updateTable('simulators.stripe_event_log')
    .set({ state: 'pending' })
    .where('state', '=', 'held')
    .execute()
  let sendBegan: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    sendBegan = resolve
  })
  const short = await createStripeSimulator({
    ...world.options,
    fetch: async (_url, init) =>
      await new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          reject(new Error('broken off'))
        })
        sendBegan()
      })
  })
  const round = short.settled()
  await begun
  await short.api.close()
  await round
  await world.simulator.resendPending()
  // The other instance on this database may have sent some meanwhile. None is lost and none is sent twice.
  assert.deepEqual(world.types().sort(), paidTypes.toSorted())
})
