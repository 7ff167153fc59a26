import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import { Kysely } from 'kysely'
import Stripe from 'stripe'
import { createDialect } from '../../../plugins/database/dialect.ts'
import { createPgliteEngine, openPglite } from '../../../plugins/database/pglite.ts'
import type { Database } from '../../../plugins/database/types.ts'
import { migrateToLatest } from '../../../simulators/migrate.ts'
import { createStripeSimulator, type StripeFaults } from '../../../simulators/stripe/index.ts'

export const secretKey = 'sk_test_simulatorsimulator'
export const webhookSecret = 'whsec_simulatorsimulator'

export interface Received {
  headers: IncomingHttpHeaders
  body: string
  event: Stripe.Event
}

/** A webhook endpoint on a real socket that verifies events with Stripe's own package, and returns the planned statuses. */
const openEndpoint = async (stripe: () => Stripe, now: () => Date) => {
  const received: Received[] = []
  const statuses: number[] = []
  const server = createServer((request, response) => {
    void text(request)
      .then((body) => {
        const signature = String(request.headers['stripe-signature'])
        const event = stripe().webhooks.constructEvent(body, signature, webhookSecret, 300, undefined, now().getTime())
        received.push({ headers: request.headers, body, event })
        response.writeHead(statuses.shift() ?? 200).end()
      })
      .catch(() => response.writeHead(400).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    received,
    statuses,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close: () => server.close()
  }
}

/** A simulator with its environment: database, webhook endpoint, a server with the pages, and the real package as client. */
export const openWorld = async () => {
  const db = new Kysely<Database>({ dialect: createDialect(createPgliteEngine(await openPglite('memory://'))) })
  await migrateToLatest(db)
  let nowMs = Date.parse('2026-11-22T12:00:00Z')
  const clock = { now: () => new Date(nowMs) }
  const faults: StripeFaults = {}
  const opened: { client?: Stripe } = {}
  const stripe = () =>
    opened.client ??
    (() => {
      throw new Error('not open yet')
    })()
  const endpoint = await openEndpoint(stripe, clock.now)
  let checkoutBase = ''
  const options = {
    db,
    clock,
    secretKey,
    webhookSecret,
    faults,
    webhookUrl: () => endpoint.url,
    checkoutBaseUrl: () => checkoutBase
  }
  const simulator = await createStripeSimulator(options)
  const pages = fastify()
  // The surrounding server may have its own form parser, which must not conflict with that of the pages.
  pages.addContentTypeParser('application/x-www-form-urlencoded', (_request, _payload, done) => {
    done(new Error('not mine'))
  })
  await pages.register(simulator.checkoutPages, { prefix: '/simulators/stripe' })
  const apiUrl = await simulator.api.listen({ host: '127.0.0.1', port: 0 })
  checkoutBase = `${await pages.listen({ host: '127.0.0.1', port: 0 })}/simulators/stripe`
  const port = Number(new URL(apiUrl).port)
  const connect = (key = secretKey, more: Stripe.StripeConfig = {}) =>
    new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', telemetry: false, ...more })
  const client = connect()
  opened.client = client
  return {
    db,
    clock,
    faults,
    simulator,
    options,
    endpoint,
    apiUrl,
    connect,
    stripe: client,
    received: endpoint.received,
    turn: (ms: number) => {
      nowMs += ms
    },
    types: () => endpoint.received.map(({ event }) => event.type),
    /** Clears the received events and all faults. */
    reset() {
      endpoint.received.length = 0
      endpoint.statuses.length = 0
      for (const key of Object.keys(faults)) delete faults[key as keyof StripeFaults]
    },
    async control(path: string, body: object = {}) {
      const response = await fetch(apiUrl + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body)
      })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    },
    async close() {
      await pages.close()
      await simulator.api.close()
      endpoint.close()
      await db.destroy()
    }
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>

export const sessionParams = (
  more: Partial<Stripe.Checkout.SessionCreateParams> = {}
): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  line_items: [
    { quantity: 1, price_data: { currency: 'usd', unit_amount: 1000, product_data: { name: '1,000 credits' } } }
  ],
  client_reference_id: 'agent_7',
  metadata: { agent_id: 'agent_7', credits: '1000' },
  payment_intent_data: { metadata: { agent_id: 'agent_7' }, description: 'Top-up' },
  success_url: 'http://shop.example/done?session_id={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://shop.example/back',
  ...more
})

/** Presses a button of the payment page without following the redirect. */
export const press = async (session: { url: string | null }, action: string): Promise<Response> =>
  await fetch(String(session.url), { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })

/** A paid session with its payment intent's id. */
export const buy = async (world: World, more: Partial<Stripe.Checkout.SessionCreateParams> = {}) => {
  const session = await world.stripe.checkout.sessions.create(sessionParams(more))
  await press(session, 'pay')
  const paid = await world.stripe.checkout.sessions.retrieve(session.id)
  return { session: paid, paymentIntent: String(paid.payment_intent) }
}
