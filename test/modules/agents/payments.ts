import assert from 'node:assert/strict'
import Stripe from 'stripe'
import type { Answered } from '../../credentials.ts'
import type { World } from './world.ts'

export const simulatorOf = (world: World) => {
  const { stripe: simulator } = world.app.simulators
  assert.ok(simulator)
  return simulator
}

export const press = async (checkoutUrl: string, action: string): Promise<Response> =>
  await fetch(checkoutUrl, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })

export const sessionOf = (checkoutUrl: string): string => checkoutUrl.split('/').at(-1) ?? ''

/** Opens a checkout and pays it. Resolves after the webhook has arrived, unless faults hold it back. */
export const buy = async (
  world: World,
  agentId: string,
  dollars: number
): Promise<{ url: string; paymentIntent: string }> => {
  const { status, body } = await world.asOwner('POST', '/api/checkout', { agent_id: agentId, amount: dollars })
  assert.deepEqual([status, body.ok], [200, true])
  assert.equal((await press(body.checkout_url, 'pay')).status, 303)
  await simulatorOf(world).settled()
  const session = await world.app.stripe.call('read', (stripe) =>
    stripe.checkout.sessions.retrieve(sessionOf(body.checkout_url))
  )
  return {
    url: body.checkout_url,
    paymentIntent: typeof session.payment_intent === 'string' ? session.payment_intent : ''
  }
}

export const control = async (world: World, path: string, body: object): Promise<void> => {
  const address = simulatorOf(world).api.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.config.stripe.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  assert.equal(response.status, 200)
}

export const refund = async (world: World, paymentIntent: string, dollars: number): Promise<string> => {
  const { id } = await world.app.stripe.call(`refund ${paymentIntent} ${dollars}`, (stripe, options) =>
    stripe.refunds.create({ payment_intent: paymentIntent, amount: dollars * 100 }, options)
  )
  await simulatorOf(world).settled()
  return id
}

/** Ends a refund that had succeeded. */
export const endRefund = async (world: World, id: string, status: 'failed' | 'canceled'): Promise<void> => {
  await control(world, `/simulator/refunds/${id}/end`, { status })
  await simulatorOf(world).settled()
}

/** Sends a body with Stripe's signature, such as an event. */
export const signed = async (world: World, body: unknown): Promise<Answered> => {
  const payload = JSON.stringify(body)
  const signature = new Stripe('sk_test_none').webhooks.generateTestHeaderString({
    payload,
    secret: world.config.stripe.webhookSecret,
    timestamp: Math.floor(world.clock.now().getTime() / 1000)
  })
  return await world.as(undefined, 'POST', '/v1/stripe/webhook', payload, { 'stripe-signature': signature })
}

/** Opens a dispute and returns its id. */
export const dispute = async (world: World, paymentIntent: string): Promise<string> => {
  await control(world, '/simulator/disputes', { payment_intent: paymentIntent })
  await simulatorOf(world).settled()
  const { data } = await world.app.stripe.call('read', (stripe) =>
    stripe.disputes.list({ payment_intent: paymentIntent })
  )
  return data[0]?.id ?? ''
}

export const closeDispute = async (world: World, id: string, outcome: 'won' | 'lost'): Promise<void> => {
  await control(world, `/simulator/disputes/${id}/close`, { outcome })
  await simulatorOf(world).settled()
}

export const owedBy = async (world: World, agentId: string): Promise<number> => {
  const { body } = await world.asOwner('GET', '/api/agents')
  return body.agents.find((agent: { agent_id: string }) => agent.agent_id === agentId).owed
}
