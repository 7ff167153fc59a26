import assert from 'node:assert/strict'
import { before, beforeEach, t, test } from 'tap'
import { buy, openWorld, press, sessionParams, type World } from './world.ts'

const minuteMs = 60_000
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

test('a session created with the stripe package is open and unpaid, and has a page', async () => {
  const session = await world.stripe.checkout.sessions.create(sessionParams({ expand: ['line_items'] }))
  assert.match(session.id, /^cs_test_a1\w{56}$/)
  assert.equal(session.status, 'open')
  assert.equal(session.payment_status, 'unpaid')
  assert.equal(session.amount_total, 1000)
  assert.equal(session.client_reference_id, 'agent_7')
  assert.deepEqual({ ...session.metadata }, { agent_id: 'agent_7', credits: '1000' })
  assert.equal(session.expires_at - session.created, 24 * 3600)
  assert.equal(session.line_items?.data[0]?.description, '1,000 credits')
  assert.equal(session.line_items?.data[0]?.price?.unit_amount, 1000)
  const page = await fetch(String(session.url))
  assert.equal(page.status, 200)
  const html = await page.text()
  assert.match(html, /\$10\.00/)
  assert.match(html, /Simulator/)
  assert.match(html, /value="pay"/)
  assert.match(html, /value="cancel"/)
})

test('paying creates one payment, redirects to success_url with the id, and sends signed events', async () => {
  const session = await world.stripe.checkout.sessions.create(sessionParams())
  const paid = await press(session, 'pay')
  assert.equal(paid.status, 303)
  assert.equal(paid.headers.get('location'), `http://shop.example/done?session_id=${session.id}`)
  await world.simulator.settled()
  assert.deepEqual(world.types(), ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed'])
  const completed = world.received[2]?.event
  assert.ok(completed?.type === 'checkout.session.completed')
  assert.equal(completed.data.object.payment_status, 'paid')
  assert.equal(completed.data.object.metadata?.agent_id, 'agent_7')
  assert.equal(world.received[2]?.headers['content-type'], 'application/json; charset=utf-8')
  const now = await world.stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent.latest_charge'] })
  assert.equal(now.status, 'complete')
  assert.equal(now.url, null)
  assert.ok(typeof now.payment_intent === 'object' && now.payment_intent !== null)
  assert.equal(now.payment_intent.amount_received, 1000)
  assert.equal(now.payment_intent.metadata.agent_id, 'agent_7')
  const charge = now.payment_intent.latest_charge
  assert.ok(typeof charge === 'object' && charge !== null)
  assert.equal(charge.metadata.agent_id, 'agent_7')
  assert.equal(charge.paid, true)
  assert.equal((await world.stripe.charges.retrieve(charge.id)).payment_intent, now.payment_intent.id)
})

test('twenty concurrent clicks on pay charge once, and all redirect to the shop', async () => {
  const session = await world.stripe.checkout.sessions.create(sessionParams())
  const responses = await Promise.all(Array.from({ length: 20 }, async () => await press(session, 'pay')))
  assert.deepEqual([...new Set(responses.map((response) => response.status))], [303])
  await world.simulator.settled()
  assert.equal(world.types().filter((type) => type === 'checkout.session.completed').length, 1)
  assert.equal(world.types().filter((type) => type === 'charge.succeeded').length, 1)
  const later = await fetch(String(session.url))
  assert.match(await later.text(), /cannot be paid again/)
})

test('cancelling redirects back and leaves the session open for a later payment', async () => {
  const session = await world.stripe.checkout.sessions.create(sessionParams())
  const cancelled = await press(session, 'cancel')
  assert.equal(cancelled.status, 303)
  assert.equal(cancelled.headers.get('location'), 'http://shop.example/back')
  assert.equal((await world.stripe.checkout.sessions.retrieve(session.id)).status, 'open')
  await world.simulator.settled()
  assert.deepEqual(world.types(), [])
  const other = await press(session, 'neither')
  assert.equal(other.status, 400)
  assert.equal((await press(session, 'pay')).status, 303)
})

test('an expired session cannot be paid, and sends one event', async () => {
  const created = Math.floor(world.clock.now().getTime() / 1000)
  const session = await world.stripe.checkout.sessions.create(sessionParams({ expires_at: created + 30 * 60 }))
  world.turn(30 * minuteMs - 1000)
  assert.equal((await fetch(String(session.url))).status, 200)
  world.turn(1000)
  const late = await press(session, 'pay')
  assert.equal(late.status, 410)
  assert.match(await late.text(), /expired/)
  assert.equal((await fetch(String(session.url))).status, 410)
  const now = await world.stripe.checkout.sessions.retrieve(session.id)
  assert.equal(now.status, 'expired')
  assert.equal(now.payment_intent, null)
  assert.equal(await world.simulator.expireSessions(), 0)
  await world.simulator.settled()
  assert.deepEqual(world.types(), ['checkout.session.expired'])
})

test('sessions expire without a request', async () => {
  const session = await world.stripe.checkout.sessions.create(sessionParams())
  world.turn(24 * 60 * minuteMs)
  assert.ok((await world.simulator.expireSessions()) >= 1)
  await world.simulator.settled()
  const expiryEvents = world.received.filter(
    ({ event }) => event.type === 'checkout.session.expired' && event.data.object.id === session.id
  )
  assert.equal(expiryEvents.length, 1)
})

test('the expire call closes an open session and rejects a paid one', async () => {
  const open = await world.stripe.checkout.sessions.create(sessionParams())
  assert.equal((await world.stripe.checkout.sessions.expire(open.id)).status, 'expired')
  assert.equal((await press(open, 'pay')).status, 410)
  const { session } = await buy(world)
  await assert.rejects(world.stripe.checkout.sessions.expire(session.id), /status of complete/)
})

test('sessions are listed newest first, page by page and by status', async () => {
  const made: string[] = []
  for (let index = 0; index < 5; index += 1)
    made.unshift((await world.stripe.checkout.sessions.create(sessionParams())).id)
  const first = await world.stripe.checkout.sessions.list({ limit: 2 })
  assert.deepEqual(
    first.data.map(({ id }) => id),
    made.slice(0, 2)
  )
  assert.equal(first.has_more, true)
  const second = await world.stripe.checkout.sessions.list({ limit: 3, starting_after: made[1] })
  assert.deepEqual(
    second.data.map(({ id }) => id),
    made.slice(2)
  )
  const back = await world.stripe.checkout.sessions.list({ limit: 2, ending_before: made[3] })
  assert.deepEqual(
    back.data.map(({ id }) => id),
    made.slice(1, 3)
  )
  await world.stripe.checkout.sessions.expire(String(made[0]))
  const open = await world.stripe.checkout.sessions.list({ status: 'open', created: { gte: 0 } })
  assert.deepEqual(
    open.data.map(({ id }) => id),
    made.slice(1)
  )
  assert.equal((await world.stripe.checkout.sessions.list({ created: { lt: 1000 } })).data.length, 0)
  assert.equal((await world.stripe.checkout.sessions.listLineItems(String(made[0]))).data.length, 1)
  let count = 0
  for await (const session of world.stripe.checkout.sessions.list({ limit: 2 }))
    count += session.object === 'checkout.session' ? 1 : 0
  assert.ok(count >= 5)
})
