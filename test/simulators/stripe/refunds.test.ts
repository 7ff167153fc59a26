import assert from 'node:assert/strict'
import fc from 'fast-check'
import Stripe from 'stripe'
import { before, beforeEach, t, test } from 'tap'
import { buy, openWorld, type World } from './world.ts'

let world: World
before(async () => {
  world = await openWorld()
})
beforeEach(async () => {
  await world.simulator.settled()
  world.reset()
})
t.teardown(async () => {
  await world.close()
})

const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason
  )
  assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError)
  return error.code ?? error.param
}

test('a full refund sends an event with the charge and its previous attributes', async () => {
  const { paymentIntent } = await buy(world)
  await world.simulator.settled()
  world.reset()
  const refund = await world.stripe.refunds.create({
    payment_intent: paymentIntent,
    reason: 'duplicate',
    metadata: { why: 'test' }
  })
  assert.equal(refund.amount, 1000)
  assert.equal(refund.status, 'succeeded')
  await world.simulator.settled()
  assert.deepEqual(world.types(), ['charge.refunded', 'refund.created'])
  const event = world.received[0]?.event
  assert.ok(event?.type === 'charge.refunded')
  assert.equal(event.data.object.amount_refunded, 1000)
  assert.equal(event.data.object.refunded, true)
  assert.equal(event.data.object.payment_intent, paymentIntent)
  assert.deepEqual({ ...event.data.previous_attributes }, { amount_refunded: 0, refunded: false })
  assert.equal(event.request?.id, refund.lastResponse.requestId)
  assert.equal(await codeOf(world.stripe.refunds.create({ payment_intent: paymentIntent })), 'charge_already_refunded')
})

test('partial refunds add up, and never exceed the payment', async () => {
  const { session, paymentIntent } = await buy(world)
  const { latest_charge: charge } = await world.stripe.paymentIntents.retrieve(paymentIntent)
  await world.stripe.refunds.create({ charge: String(charge), amount: 300 })
  await world.stripe.refunds.create({ payment_intent: paymentIntent, amount: 200 })
  assert.equal(await codeOf(world.stripe.refunds.create({ payment_intent: paymentIntent, amount: 501 })), 'amount')
  const now = await world.stripe.charges.retrieve(String(charge), { expand: ['refunds'] })
  assert.equal(now.amount_refunded, 500)
  assert.equal(now.refunded, false)
  assert.deepEqual(
    now.refunds?.data.map(({ amount }) => amount),
    [200, 300]
  )
  const listed = await world.stripe.refunds.list({ payment_intent: paymentIntent, limit: 1, expand: ['data.charge'] })
  assert.equal(listed.has_more, true)
  assert.equal((listed.data[0]?.charge as Stripe.Charge).id, charge)
  assert.equal((await world.stripe.refunds.create({ payment_intent: paymentIntent })).amount, 500)
  assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid')
})

test('a failed or cancelled refund sends events, returns the money to the payment, and can be repeated', async () => {
  for (const [status, types] of [
    ['failed', ['refund.updated', 'charge.refund.updated', 'refund.failed']],
    ['canceled', ['refund.updated', 'charge.refund.updated']]
  ] as const) {
    const { paymentIntent } = await buy(world)
    const { id } = await world.stripe.refunds.create({ payment_intent: paymentIntent })
    await world.simulator.settled()
    world.reset()
    assert.equal((await world.control(`/simulator/refunds/${id}/end`, { status })).status, 200)
    await world.simulator.settled()
    assert.deepEqual(world.types(), types)
    assert.equal((await world.stripe.refunds.retrieve(id)).status, status)
    const charges = await world.stripe.charges.list({ payment_intent: paymentIntent })
    assert.deepEqual([charges.data[0]?.amount_refunded, charges.data[0]?.refunded], [0, false])
    assert.equal((await world.control(`/simulator/refunds/${id}/end`, { status })).status, 400)
    assert.equal((await world.stripe.refunds.create({ payment_intent: paymentIntent })).amount, 1000)
  }
})

test('concurrent refunds never exceed the payment, and the total matches the refunds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 6 }), async (amounts) => {
      const { paymentIntent } = await buy(world)
      const results = await Promise.allSettled(
        amounts.map(async (amount) => await world.stripe.refunds.create({ payment_intent: paymentIntent, amount }))
      )
      const given = results.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value.amount : 0), 0)
      const charges = await world.stripe.charges.list({ payment_intent: paymentIntent })
      assert.equal(charges.data[0]?.amount_refunded, given)
      assert.ok(given <= 1000)
      if (amounts.reduce((sum, amount) => sum + amount, 0) <= 1000)
        assert.ok(results.every(({ status }) => status === 'fulfilled'))
    }),
    { numRuns: 12 }
  )
})

test('a dispute takes the money, sends an event, blocks refunds, and is decided once', async () => {
  const { paymentIntent } = await buy(world)
  await world.simulator.settled()
  world.reset()
  const before = (await world.stripe.balance.retrieve()).available[0]?.amount ?? 0
  const made = await world.control('/simulator/disputes', { payment_intent: paymentIntent, amount: 400 })
  assert.equal(made.status, 200)
  await world.simulator.settled()
  assert.deepEqual(world.types(), ['charge.dispute.created'])
  const event = world.received[0]?.event
  assert.ok(event?.type === 'charge.dispute.created')
  assert.equal(event.data.object.amount, 400)
  assert.equal(event.data.object.payment_intent, paymentIntent)
  assert.equal((await world.stripe.disputes.retrieve(event.data.object.id)).status, 'needs_response')
  const intent = await world.stripe.paymentIntents.retrieve(paymentIntent, { expand: ['latest_charge'] })
  assert.equal((intent.latest_charge as Stripe.Charge).disputed, true)
  assert.equal((await world.stripe.balance.retrieve()).available[0]?.amount, before - 400)
  assert.equal(await codeOf(world.stripe.refunds.create({ payment_intent: paymentIntent })), 'charge_disputed')
  assert.equal((await world.control('/simulator/disputes', { payment_intent: paymentIntent })).status, 400)
  assert.equal((await world.control('/simulator/disputes', {})).status, 400)
  world.reset()
  const close = (outcome: string) => world.control(`/simulator/disputes/${event.data.object.id}/close`, { outcome })
  assert.equal((await close('drawn')).status, 400)
  assert.equal((await close('won')).status, 200)
  await world.simulator.settled()
  assert.deepEqual(world.types(), ['charge.dispute.closed', 'charge.dispute.funds_reinstated'])
  assert.equal((await world.stripe.disputes.retrieve(event.data.object.id)).status, 'won')
  assert.equal((await world.stripe.balance.retrieve()).available[0]?.amount, before)
  assert.equal((await close('lost')).status, 400)
})
