import type { FastifyBaseLogger } from 'fastify'
import type { Db } from '../../plugins/database/types.ts'
import type { StripeFaults } from './faults.ts'
import './tables.ts'

export interface StripeSimulatorOptions {
  /** Holds the state, in schema `simulators`; several instances may share it. */
  db: Db
  clock: { now(): Date }
  /** The only secret key (sk_test_…) that the API accepts. */
  secretKey: string
  /** Signs the events (whsec_…). */
  webhookSecret: string
  /** The URL that receives the events, read at each of them. */
  webhookUrl: () => string
  /** The public base URL of the payment pages, without a slash at the end. */
  checkoutBaseUrl: () => string
  faults?: StripeFaults
  fetch?: typeof fetch
  /** Receives unexpected errors; without it they are not logged. */
  logger?: FastifyBaseLogger
}

/** The state and options that all parts of the simulator share. */
export interface SimulatorContext extends StripeSimulatorOptions {
  faults: StripeFaults
  fetch: typeof fetch
  /** Starts a round of deliveries in the background. */
  wakeDelivery: () => void
}

/** The request that caused an effect, as its event's `request` names it. */
export interface Cause {
  requestId: string | null
  idempotencyKey: string | null
}
