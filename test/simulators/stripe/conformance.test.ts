import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { before, t, test } from 'tap'
import { buy, openWorld, secretKey, sessionParams, type World } from './world.ts'

/** The folder with Stripe's own OpenAPI description: beside the checkout, or set by the environment. Without it the tests are skipped. */
const directory = process.env.ATLAS_VENDOR_DIR ?? resolve(import.meta.dirname, '../../../../shared/vendor')
const typesFile = join(directory, 'stripe-node-23.1.0-types.schema.json')
const openapiFile = join(directory, 'stripe-openapi-2023-08-16.unexpanded.json')
const skip = existsSync(typesFile) && existsSync(openapiFile) ? false : `no description of Stripe's API in ${directory}`

interface Schema {
  [key: string]: unknown
}

/** OpenAPI 3.0 has `nullable` where JSON Schema has the type null. */
const withoutNullable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNullable)
  if (typeof value !== 'object' || value === null) return value
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, withoutNullable(child)])
  )
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest
}

const validators = () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema({ ...(JSON.parse(readFileSync(typesFile, 'utf8')) as Schema), $id: 'types' })
  ajv.addSchema({ ...(withoutNullable(JSON.parse(readFileSync(openapiFile, 'utf8'))) as Schema), $id: 'openapi' })
  const find = (ref: string): ValidateFunction => ajv.compile({ $ref: ref })
  return {
    types: (name: string) => find(`types#/$defs/${name}`),
    openapi: (name: string) => find(`openapi#/components/schemas/${name}`)
  }
}

let world: World
before(async () => {
  world = await openWorld()
})
t.teardown(async () => {
  await world.close()
})

const get = async (path: string): Promise<Record<string, unknown>> => {
  const response = await fetch(world.apiUrl + path, { headers: { authorization: `Bearer ${secretKey}` } })
  return (await response.json()) as Record<string, unknown>
}

const conforms = (validate: ValidateFunction, value: unknown, name: string): void => {
  assert.ok(validate(value), `${name}: ${JSON.stringify(validate.errors?.slice(0, 5))}`)
}

test(
  "sessions, payment intents, line items and the balance match the package types and Stripe's OpenAPI",
  { skip },
  async () => {
    const { types, openapi } = validators()
    const open = await world.stripe.checkout.sessions.create(
      sessionParams({ customer_email: 'a@b.example', locale: 'en', submit_type: 'pay' })
    )
    const expired = await world.stripe.checkout.sessions.create(sessionParams())
    await world.stripe.checkout.sessions.expire(expired.id)
    const { session, paymentIntent } = await buy(world)
    for (const id of [open.id, expired.id, session.id]) {
      for (const query of ['', '?expand[]=line_items']) {
        const value = await get(`/v1/checkout/sessions/${id}${query}`)
        conforms(types('root.CheckoutSession'), value, 'session by types')
        conforms(openapi('checkout.session'), value, 'session by openapi')
      }
    }
    const intent = await get(`/v1/payment_intents/${paymentIntent}`)
    conforms(types('root.PaymentIntent'), intent, 'intent by types')
    conforms(openapi('payment_intent'), intent, 'intent by openapi')
    // The descriptions are effective: an object with a missing field, or one of another type, does not pass.
    assert.equal(types('root.PaymentIntent')({ ...intent, latest_charge: undefined, amount: 'ten' }), false)
    assert.equal(openapi('payment_intent')({ ...intent, status: 'lost' }), false)
    const items = await get(`/v1/checkout/sessions/${session.id}/line_items`)
    conforms(types('ApiList_LineItem'), items, 'line items by types')
    const balance = await get('/v1/balance')
    conforms(types('root.Balance'), balance, 'balance by types')
    conforms(openapi('balance'), balance, 'balance by openapi')
  }
)

test('every event matches the package types and OpenAPI as well', { skip }, async () => {
  const { types, openapi } = validators()
  const { paymentIntent } = await buy(world)
  const refund = await world.stripe.refunds.create({ payment_intent: paymentIntent, amount: 1 })
  await world.control(`/simulator/refunds/${refund.id}/end`, { status: 'failed' })
  await world.control('/simulator/disputes', { payment_intent: paymentIntent })
  const {
    data: [dispute]
  } = await world.stripe.disputes.list({ payment_intent: paymentIntent })
  await world.control(`/simulator/disputes/${dispute?.id}/close`, { outcome: 'won' })
  const other = await world.stripe.checkout.sessions.create(sessionParams())
  await world.stripe.checkout.sessions.expire(other.id)
  await world.simulator.settled()
  const named: Record<string, string> = {
    'checkout.session.completed': 'root.CheckoutSessionCompletedEvent',
    'checkout.session.expired': 'root.CheckoutSessionExpiredEvent',
    'payment_intent.succeeded': 'root.PaymentIntentSucceededEvent'
  }
  const seen = new Set<string>()
  for (const { body } of world.received) {
    const event = JSON.parse(body) as { type: string }
    seen.add(event.type)
    conforms(openapi('event'), event, `${event.type} by openapi`)
    const name = named[event.type]
    if (name !== undefined) conforms(types(name), event, `${event.type} by types`)
  }
  assert.deepEqual(
    [...seen].sort(),
    [
      'charge.dispute.closed',
      'charge.dispute.created',
      'charge.dispute.funds_reinstated',
      'charge.refund.updated',
      'charge.refunded',
      'charge.succeeded',
      'refund.created',
      'refund.failed',
      'refund.updated',
      ...Object.keys(named)
    ].sort()
  )
})

test("errors are Stripe's error objects", { skip }, async () => {
  const { openapi } = validators()
  for (const path of ['/v1/checkout/sessions/none', '/v1/nothing', '/v1/charges?limit=0', '/v1/events?colour=red']) {
    conforms(openapi('error'), await get(path), path)
  }
})
