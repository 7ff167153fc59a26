import type { FastifyBaseLogger } from 'fastify'
import type { Db } from '../../plugins/database/types.ts'
import type { StripeFaults } from './faults.ts'
import './tables.ts'

export interface StripeSimulatorOptions {
  /** State is kept here, in tables named stripe_sim_…; several instances may share it. */
  db: Db
  clock: { now(): Date }
  /** The one secret key (sk_test_…) that the API accepts. */
  secretKey: string
  /** The endpoint secret (whsec_…) with which events are signed. */
  webhookSecret: string
  /** Where events are sent. */
  webhookUrl: () => string
  /** Public base of the payment pages, without a slash at the end. */
  checkoutBaseUrl: () => string
  faults?: StripeFaults
  fetch?: typeof fetch
  /** Unexpected errors are written here; nowhere when absent. */
  logger?: FastifyBaseLogger
}

/** What every part of the simulator works with. */
export interface SimulatorContext extends StripeSimulatorOptions {
  faults: StripeFaults
  fetch: typeof fetch
  /** Asks for a round of deliveries soon, after the present answer has gone out. */
  wakeDelivery: () => void
}

/** What an effect was caused by: named in the event's `request`. */
export interface Cause {
  requestId: string | null
  idempotencyKey: string | null
}
