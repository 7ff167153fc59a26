import assert from 'node:assert/strict'
import Stripe from 'stripe'
import { before, beforeEach, t, test } from 'tap'
import { openWorld, secretKey, sessionParams, type World } from './world.ts'

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

const refusal = async (work: Promise<unknown>): Promise<InstanceType<typeof Stripe.errors.StripeError>> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason
  )
  assert.ok(error instanceof Stripe.errors.StripeError)
  return error
}

const raw = async (path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> =>
  await fetch(world.apiUrl + path, {
    ...init,
    headers: { authorization: `Bearer ${secretKey}`, ...init.headers }
  })

test("a wrong or missing key gets Stripe's 401, and Basic auth works like Bearer", async () => {
  const wrong = await refusal(world.connect('sk_test_wrongwrongwrong').balance.retrieve())
  assert.ok(wrong instanceof Stripe.errors.StripeAuthenticationError)
  assert.doesNotMatch(wrong.message, /wrongwrongwrong/)
  assert.equal((await fetch(`${world.apiUrl}/v1/balance`)).status, 401)
  const basic = Buffer.from(`${secretKey}:`).toString('base64')
  assert.equal((await raw('/v1/balance', { headers: { authorization: `Basic ${basic}` } })).status, 200)
})

test('every response has a Request-Id and echoes Stripe-Version', async () => {
  const session = await world.stripe.checkout.sessions.create(sessionParams())
  assert.match(session.lastResponse.requestId, /^req_\w{14}$/)
  assert.equal(session.lastResponse.apiVersion, Stripe.API_VERSION)
  const old = await raw('/v1/nothing', { headers: { 'stripe-version': '2023-08-16' } })
  assert.equal(old.status, 404)
  assert.equal(old.headers.get('stripe-version'), '2023-08-16')
  assert.match(String(old.headers.get('request-id')), /^req_/)
  assert.match(await old.text(), /Unrecognized request URL/)
})

test("invalid parameters are rejected with Stripe's codes and the name in brackets", async () => {
  const create = async (more: object) =>
    await refusal(world.stripe.checkout.sessions.create({ ...sessionParams(), ...more }))
  const priced = (data: object) => ({
    line_items: [
      { quantity: 1, price_data: { currency: 'usd', unit_amount: 1000, product_data: { name: 'x' }, ...data } }
    ]
  })
  const cases: Array<[object, string | undefined, string | undefined]> = [
    [{ success_url: undefined }, 'parameter_missing', 'success_url'],
    [{ success_url: 'javascript:alert(1)' }, 'url_invalid', 'success_url'],
    [{ mode: 'lottery' }, undefined, 'mode'],
    [{ line_items: [] }, 'parameter_missing', 'line_items'],
    [{ line_items: [{ quantity: 1, price: 'price_1' }] }, 'resource_missing', 'line_items[0][price]'],
    [priced({ unit_amount: 'ten' }), 'parameter_invalid_integer', 'line_items[0][price_data][unit_amount]'],
    [priced({ unit_amount: 49 }), 'amount_too_small', undefined],
    [priced({ currency: 'zzq' }), undefined, 'line_items[0][price_data][currency]'],
    [priced({ colour: 'red' }), 'parameter_unknown', 'line_items[0][price_data][colour]'],
    [{ colour: 'red' }, 'parameter_unknown', 'colour'],
    [{ client_reference_id: '' }, 'parameter_invalid_empty', 'client_reference_id'],
    [{ client_reference_id: 'a\u0000b' }, undefined, 'client_reference_id'],
    [{ metadata: { key: 'x'.repeat(501) } }, undefined, 'metadata[key]'],
    [{ expires_at: Math.floor(world.clock.now().getTime() / 1000) + 1799 }, undefined, 'expires_at'],
    [{ expires_at: Math.floor(world.clock.now().getTime() / 1000) + 86_401 }, undefined, 'expires_at'],
    [{ expand: ['customer.name'] }, undefined, 'expand']
  ]
  for (const [more, code, param] of cases) {
    const error = await create(more)
    assert.equal(error.statusCode, 400, JSON.stringify(more))
    assert.equal(error.type, 'StripeInvalidRequestError')
    assert.equal(error.code, code, JSON.stringify(more))
    assert.equal(error.param, param, JSON.stringify(more))
  }
})

test('an unknown id gets resource_missing, whatever its form', async () => {
  for (const work of [
    world.stripe.checkout.sessions.retrieve('cs_test_none'),
    world.stripe.paymentIntents.retrieve('pi_none'),
    world.stripe.charges.retrieve('ch_none'),
    world.stripe.events.retrieve('evt_none'),
    world.stripe.refunds.retrieve('re_none'),
    world.stripe.checkout.sessions.retrieve("a\u0000b' or 1=1"),
    world.stripe.refunds.create({ payment_intent: 'pi_none' })
  ]) {
    const error = await refusal(work)
    assert.equal(error.code, 'resource_missing')
    assert.equal(error.statusCode, 404)
  }
})

test('bodies that are not forms, nested too deeply, or too large are rejected without side effects', async () => {
  const post = async (body: string, type = 'application/x-www-form-urlencoded') =>
    await raw('/v1/checkout/sessions', { method: 'POST', body, headers: { 'content-type': type } })
  assert.equal((await post('{"mode":"payment"}', 'application/json')).status, 400)
  assert.equal((await post('x', 'text/plain')).status, 415)
  assert.equal((await post(`a${'[b]'.repeat(11)}=1`)).status, 400)
  assert.equal((await post('a=1&'.repeat(1001))).status, 400)
  assert.equal((await post('mode=payment&mode[x]=1')).status, 400)
  assert.equal((await post('__proto__[polluted]=1')).status, 400)
  assert.equal((await post(`a=${'x'.repeat(300_000)}`)).status, 413)
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
})

test('a request repeated with its idempotency key takes effect once and is marked as a replay', async () => {
  const options = { idempotencyKey: 'key-1' }
  const first = await world.stripe.checkout.sessions.create(sessionParams(), options)
  const again = await world.stripe.checkout.sessions.create(sessionParams(), options)
  assert.equal(again.id, first.id)
  assert.equal(first.lastResponse.headers['idempotent-replayed'], undefined)
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true')
  assert.equal(again.lastResponse.headers['original-request'], first.lastResponse.requestId)
  assert.equal(again.lastResponse.idempotencyKey, 'key-1')
  const other = await refusal(
    world.stripe.checkout.sessions.create(sessionParams({ client_reference_id: 'another' }), options)
  )
  assert.ok(other instanceof Stripe.errors.StripeIdempotencyError)
  world.turn(24 * 3_600_000)
  assert.notEqual((await world.stripe.checkout.sessions.create(sessionParams(), options)).id, first.id)
})

test('ten concurrent requests with one key take effect once', async () => {
  const made = await Promise.all(
    Array.from(
      { length: 10 },
      async () => await world.stripe.checkout.sessions.create(sessionParams(), { idempotencyKey: 'key-at-once' })
    )
  )
  assert.equal(new Set(made.map(({ id }) => id)).size, 1)
})

test('a key can be reused after invalid parameters, but not after an error caused by the state', async () => {
  const options = { idempotencyKey: 'key-bad' }
  await refusal(world.stripe.checkout.sessions.create(sessionParams({ client_reference_id: '' }), options))
  const session = await world.stripe.checkout.sessions.create(sessionParams(), options)
  await world.stripe.checkout.sessions.expire(session.id, undefined, { idempotencyKey: 'key-expire' })
  await refusal(world.stripe.checkout.sessions.expire(session.id, undefined, { idempotencyKey: 'key-expire-2' }))
  const replayed = await refusal(
    world.stripe.checkout.sessions.expire(session.id, undefined, { idempotencyKey: 'key-expire-2' })
  )
  assert.equal(replayed.headers?.['idempotent-replayed'], 'true')
})
