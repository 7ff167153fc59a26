import fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import { createCheckoutPages } from './checkout-pages.ts'
import type { SimulatorContext, StripeSimulatorOptions } from './context.ts'
import { registerControlRoutes } from './control-routes.ts'
import { createDelivery } from './delivery.ts'
import { expireDue } from './effects.ts'
import type { StripeFaults } from './faults.ts'
import { speakStripe } from './http.ts'
import { registerApiRoutes } from './routes.ts'

export type { StripeSimulatorOptions } from './context.ts'
export type { RequestFault, StripeFaults } from './faults.ts'

const bodyLimit = 256 * 1024
const expireRoundsMax = 100

export interface StripeSimulator {
  /** Stripe's API. The caller listens on 127.0.0.1. Closing it ends the deliveries too. */
  api: FastifyInstance
  /** The payment pages, for the main server under the path of `checkoutBaseUrl`. */
  checkoutPages: FastifyPluginAsync
  /** The faults in force; may be changed at any time. */
  faults: StripeFaults
  /** Resolves when every event that is due by the clock has been sent. Held, delayed and backing-off events are not due. */
  settled(): Promise<void>
  /** Expires sessions that are past their time, with their events. The caller calls it periodically. @returns how many expired */
  expireSessions(): Promise<number>
  /** Resends undelivered events, failed ones included. The caller calls it when the webhook's server listens. */
  resendPending(): Promise<void>
}

/**
 * Creates a Stripe that the real `stripe` package talks to over HTTP: Checkout sessions, payment intents, charges, refunds,
 * disputes, events and signed webhooks. Its migrations must have run.
 */
export const createStripeSimulator = async (options: StripeSimulatorOptions): Promise<StripeSimulator> => {
  const faults = options.faults ?? {}
  const base = { ...options, faults, fetch: options.fetch ?? fetch }
  const delivery = createDelivery(base)
  const context: SimulatorContext = { ...base, wakeDelivery: () => void delivery.drain() }
  const api = fastify({ logger: false, bodyLimit, routerOptions: { querystringParser: () => ({}) } })
  speakStripe(api, context)
  registerApiRoutes(api, context)
  registerControlRoutes(api, context, delivery)
  api.addHook('onClose', async () => await delivery.close())
  await api.ready()
  return {
    api,
    checkoutPages: createCheckoutPages(context),
    faults,
    settled: async () => await delivery.drain(),
    resendPending: async () => await delivery.resendPending(),
    async expireSessions() {
      let expired = 0
      for (let round = 0, found = 1; found > 0 && round < expireRoundsMax; round += 1) {
        found = await expireDue(context)
        expired += found
      }
      context.wakeDelivery()
      return expired
    }
  }
}
