import type { Config } from '../config/index.ts'

/** The path at which this server receives Stripe's webhooks. */
export const webhookPath = '/v1/stripe/webhook'

/** A Stripe that this server calls. */
export interface StripeService {
  secretKey: string
  /** Signs the webhooks. */
  webhookSecret: string
  /** Where its API is; Stripe's own address when absent. */
  baseUrl?: string
}

/** Stripe's own service as configured; undefined without Stripe keys. */
export const configuredStripe = ({ stripe }: Config): StripeService | undefined =>
  stripe.mode === 'live' || stripe.mode === 'remote_sandbox' ? stripe : undefined
