import assert from 'node:assert/strict'
import { test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { buy, control, owedBy, press, sessionOf, signed, simulatorOf } from './payments.ts'
import { openWorld } from './world.ts'

const job = 'close payments of agents'

test('payments that are not booked', async (t) => {
  const logged: string[] = []
  const logStream = { write: (line: string) => void logged.push(line) }
  const world = await openWorld(t, { env: { LOG_LEVEL: 'warn' }, logStream })
  const { asOwner } = world
  const simulator = simulatorOf(world)
  const revoke = async (agentId: string) =>
    assert.equal((await asOwner('POST', `/api/agents/${agentId}/revoke`, { confirm: true })).status, 200)
  const checkout = async (agentId: string, amount = 25): Promise<string> =>
    (await asOwner('POST', '/api/checkout', { agent_id: agentId, amount })).body.checkout_url
  const statusAtStripe = async (sessionId: string) =>
    (await world.app.stripe.call('read', (stripe) => stripe.checkout.sessions.retrieve(sessionId))).status
  const refundedAtStripe = async (paymentIntent: string): Promise<number | undefined> => {
    const charges = await world.app.stripe.call('read', (stripe) =>
      stripe.charges.list({ payment_intent: paymentIntent })
    )
    return charges.data[0]?.amount_refunded
  }
  const payment = async (sessionId: string) =>
    await world.database.db
      .selectFrom('stripe_payments')
      .select(['status', 'refusal', 'refunded_at'])
      .where('session_id', '=', sessionId)
      .executeTakeFirst()
  const notifications = async (): Promise<string[]> =>
    (await asOwner('GET', '/api/v1/notifications')).body.items.map((item: { message: string }) => item.message)
  const paid = (sessionId: string, more: object) => ({
    id: `evt_${sessionId}`,
    type: 'checkout.session.completed',
    data: {
      object: {
        id: sessionId,
        payment_status: 'paid',
        payment_intent: `pi_${sessionId}`,
        amount_total: 2500,
        currency: 'usd',
        ...more
      }
    }
  })

  await t.test('revoking an agent expires its payment pages', async () => {
    const url = await checkout('leaving')
    await revoke('leaving')
    await world.app.jobs.run(job)
    await simulator.settled()
    assert.equal((await press(url, 'pay')).status, 410)
    assert.equal((await payment(sessionOf(url)))?.status, 'expired')
  })

  await t.test('a payment page that could not be expired is expired once Stripe is available again', async () => {
    const url = await checkout('later')
    simulator.faults.requests = [{ kind: 'error', path: '/v1/checkout/sessions', times: 1000 }]
    await revoke('later')
    await world.app.jobs.run(job)
    assert.equal((await payment(sessionOf(url)))?.status, 'open')
    delete simulator.faults.requests
    world.clock.advance(60_000)
    await world.app.jobs.run(job)
    assert.equal(await statusAtStripe(sessionOf(url)), 'expired')
    assert.equal((await payment(sessionOf(url)))?.status, 'expired')
  })

  await t.test('a payment for a revoked agent is refunded once, and its owner is notified', async () => {
    simulator.faults.hold = true
    const { url, paymentIntent } = await buy(world, 'gone', 25)
    await revoke('gone')
    delete simulator.faults.hold
    await control(world, '/simulator/events/release', {})
    await simulator.settled()
    for (let time = 0; time < 2; time++) await world.app.jobs.run(job)
    await simulator.settled()
    assert.equal(await refundedAtStripe(paymentIntent), 2500)
    assert.deepEqual([await world.balance('gone'), await owedBy(world, 'gone')], [0, 0])
    const { status, refusal, refunded_at: refundedAt } = (await payment(sessionOf(url))) ?? {}
    assert.deepEqual([status, refusal, refundedAt], ['refused', 'agent_revoked', world.clock.now()])
    assert.equal((await notifications()).filter((text) => /payment for gone .* agent is revoked/.test(text)).length, 1)
    const refunds = await world.app.stripe.call('read', (stripe) =>
      stripe.refunds.list({ payment_intent: paymentIntent })
    )
    assert.equal(refunds.data.length, 1)
  })

  await t.test('a payment for a revoked agent is refunded even when its event is lost', async () => {
    simulator.faults.hold = true
    const { url, paymentIntent } = await buy(world, 'lost', 10)
    await revoke('lost')
    for (let time = 0; time < 2; time++) await world.app.jobs.run(job)
    assert.equal((await payment(sessionOf(url)))?.refusal, 'agent_revoked')
    assert.equal(await refundedAtStripe(paymentIntent), 1000)
    delete simulator.faults.hold
    await control(world, '/simulator/events/release', {})
    await simulator.settled()
    assert.equal(await world.balance('lost'), 0)
  })

  await t.test(
    'a payment of another amount or currency than ordered is not booked, and the owner is notified',
    async () => {
      for (const [name, more] of [
        ['less', { amount_total: 2499 }],
        ['more', { amount_total: 2501 }],
        ['euros', { currency: 'eur' }],
        [
          'converted',
          { currency_conversion: { amount_total: 2400, source_currency: 'usd', fx_rate: '1', amount_subtotal: 1 } }
        ]
      ] as const) {
        const sessionId = sessionOf(await checkout(name))
        assert.equal((await signed(world, paid(sessionId, more))).status, 200)
        assert.deepEqual([await world.balance(name), (await payment(sessionId))?.refusal], [0, 'amount_mismatch'], name)
        assert.match((await notifications())[0] ?? '', new RegExp(`payment for ${name} .* not what was ordered`))
      }
    }
  )

  await t.test('a payment in the buyer’s own currency books the credits that were ordered', async () => {
    for (const [name, more] of [
      ['present', { presentment_details: { presentment_amount: 2300, presentment_currency: 'EUR' } }],
      [
        'older',
        {
          amount_total: 2300,
          currency: 'eur',
          currency_conversion: { amount_total: 2500, source_currency: 'usd', fx_rate: '0.92', amount_subtotal: 2500 }
        }
      ]
    ] as const) {
      const sessionId = sessionOf(await checkout(name))
      await signed(world, paid(sessionId, more))
      assert.equal(await world.balance(name), 2500, name)
      const charge = { id: `ch_${name}`, payment_intent: `pi_${sessionId}`, amount_refunded: 1150, currency: 'eur' }
      await signed(world, { id: `evt_${name}`, type: 'charge.refunded', data: { object: charge } })
      assert.equal(await world.balance(name), 1250, name)
    }
  })

  await t.test('an unstored session is booked only if its metadata is a valid order for the amount paid', async () => {
    await world.fund('unstored', 0)
    const metadata = { agent_id: 'unstored', amount_cents: '2500' }
    await signed(world, paid('cs_own', { metadata }))
    assert.equal(await world.balance('unstored'), 2500)
    await signed(world, paid('cs_short', { metadata, amount_total: 100 }))
    await signed(world, paid('cs_foreign', { metadata: { agent_id: 'unstored' } }))
    await signed(world, paid('cs_unknown', { metadata: { ...metadata, agent_id: 'unknown' } }))
    assert.equal(await world.balance('unstored'), 2500)
  })

  await t.test('a signed event of an unknown shape is acknowledged and logged, and changes nothing', async () => {
    const object = paid('cs_x', {}).data.object
    const shapes = [
      {},
      { id: 1, type: 'charge.refunded', data: {} },
      { id: 'evt_a', type: 'charge.refunded', data: { object: { id: 'ch_1', payment_intent: 'pi_1' } } },
      {
        id: 'evt_b',
        type: 'charge.refunded',
        data: { object: { id: 'ch_1', payment_intent: 'pi_1', amount_refunded: -1 } }
      },
      { id: 'evt_c', type: 'refund.failed', data: { object: null } },
      { id: 'evt_d', type: 'charge.dispute.created', data: { object: { id: 'du_1', amount: '5' } } },
      { id: 'evt_e', type: 'checkout.session.completed', data: { object: { ...object, payment_intent: null } } },
      { id: 'evt_f', type: 'checkout.session.completed', data: { object: { ...object, amount_total: 1e300 } } },
      { id: 'evt_g\u0000', type: 'charge.refunded', data: { object } },
      { id: 'evt_h'.repeat(100), type: 'charge.refunded', data: { object } },
      { id: 'evt_i', object: 'v2.core.event', type: 'v1.billing.meter.no_meter_found', reason: null },
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field${index}`, index]))
    ]
    for (const shape of shapes) {
      const before = logged.length
      const { status, body } = await signed(world, shape)
      assert.deepEqual([status, body], [200, { received: true }], JSON.stringify(shape).slice(0, 80))
      assert.match(logged.slice(before).join(''), /an event of an unknown shape/)
    }
    const silent = logged.length
    const other = { id: 'evt_z', type: 'customer.created', data: { object: { anything: true } } }
    assert.equal((await signed(world, other)).status, 200)
    assert.equal(logged.length, silent)
  })

  await t.test('an event of an unknown shape is not recorded, so a valid event with its id is processed', async () => {
    const sessionId = sessionOf(await checkout('mended'))
    const event = paid(sessionId, {})
    await signed(world, { ...event, data: { object: {} } })
    await signed(world, event)
    assert.equal(await world.balance('mended'), 2500)
  })

  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})
