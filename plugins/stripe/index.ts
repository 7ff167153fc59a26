import fp from 'fastify-plugin'
import Stripe from 'stripe'
import { assertNoTransaction } from '../database/transaction.ts'
import { idempotencyConflict, upstreamUnavailable } from '../http/errors/kinds.ts'
import { defineProblem } from '../http/errors/problem.ts'
import { publicUrl } from '../http/urls.ts'
import type { UpstreamOutcome } from '../metrics/index.ts'
import { configuredStripe, type StripeService } from './service.ts'

const timeoutMs = 15_000
const retries = 2
const toleranceSeconds = 300

const invalidSignature = defineProblem({
  status: 400,
  code: 'invalid_signature',
  meaning: 'The signature does not match the body, or is too old.',
  cure: 'Only Stripe sends requests to this operation. Check STRIPE_WEBHOOK_SECRET, and that no proxy changes the body.'
})

const stripeNotConfigured = defineProblem({
  status: 503,
  code: 'stripe_not_configured',
  meaning: 'This server has no Stripe keys, so nothing can be bought.',
  cure: 'The operator sets STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET and restarts the server.'
})

export interface StripeGateway {
  /**
   * Calls Stripe through its SDK, with retries under one idempotency key.
   *
   * @throws ProblemError 502 `upstream_unavailable` when Stripe cannot be reached or fails; 422 `idempotency_conflict` when Stripe
   *   received the key with other parameters before; 503 `stripe_not_configured`.
   * @throws Error when a database transaction is open.
   */
  call<T>(onwardKey: string, work: (client: Stripe, options: Stripe.RequestOptions) => Promise<T>): Promise<T>
  /**
   * Verifies that Stripe signed an event, within the last five minutes.
   *
   * @throws ProblemError 400 `invalid_signature`; 503 `stripe_not_configured`.
   */
  verifyEvent(body: Buffer, signature: string | undefined): void
  /** Where browsers reach this server, without a slash at the end. */
  publicUrl(): string
}

export interface StripeOptions {
  /** The Stripe to call instead of the one that the configuration names. */
  service: StripeService | undefined
}

const createClient = ({ secretKey, baseUrl }: StripeService): Stripe => {
  const options: Stripe.StripeConfig = { timeout: timeoutMs, maxNetworkRetries: retries, telemetry: false }
  if (baseUrl === undefined) return new Stripe(secretKey, options)
  const { hostname, port, protocol } = new URL(baseUrl)
  return new Stripe(secretKey, { ...options, host: hostname, port, protocol: protocol === 'http:' ? 'http' : 'https' })
}

/** Whether Stripe rejected a request as it stands, so that a retry cannot succeed. @param codes only for one of these reasons */
export const isRefusedByStripe = (error: unknown, codes?: readonly string[]): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError && (codes === undefined || codes.includes(error.code ?? ''))

const toProblem = (error: unknown): unknown => {
  if (error instanceof Stripe.errors.StripeIdempotencyError) {
    return idempotencyConflict('This idempotency key was used with another body before. Send a new key.')
  }
  const broken = [Stripe.errors.StripeConnectionError, Stripe.errors.StripeAPIError, Stripe.errors.StripeRateLimitError]
  if (broken.some((kind) => error instanceof kind))
    return upstreamUnavailable('Stripe did not respond. Retry with the same idempotency key.')
  return error
}

declare module 'fastify' {
  interface FastifyInstance {
    stripe: StripeGateway
  }
}

/** Gives every domain the Stripe client and the verification of Stripe's webhooks. */
export default fp<StripeOptions>(
  async (app, options) => {
    const service = options.service ?? configuredStripe(app.config)
    const connected = service && { client: createClient(service), webhookSecret: service.webhookSecret }
    const requireStripe = () => {
      if (connected === undefined)
        throw stripeNotConfigured(
          'This server has no Stripe keys. Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET, then restart it.'
        )
      return connected
    }
    app.decorate('stripe', {
      publicUrl: () => publicUrl(app),
      async call(onwardKey, work) {
        assertNoTransaction()
        const { client } = requireStripe()
        const startedAt = performance.now()
        const report = (outcome: UpstreamOutcome): void =>
          app.metrics.upstreamCalled('stripe', outcome, (performance.now() - startedAt) / 1000)
        try {
          const result = await work(client, { idempotencyKey: onwardKey })
          report('ok')
          return result
        } catch (error) {
          const problem = toProblem(error)
          report(problem === error || error instanceof Stripe.errors.StripeIdempotencyError ? 'refused' : 'failed')
          if (problem !== error) app.log.warn({ err: error }, 'a call to Stripe failed')
          throw problem
        }
      },
      verifyEvent(body, signature = '') {
        const { client, webhookSecret } = requireStripe()
        const { signature: verifier } = client.webhooks
        if (verifier === null) throw new Error('The Stripe client cannot verify signatures.')
        const now = app.clock.now().getTime()
        try {
          verifier.verifyHeader(body, signature, webhookSecret, toleranceSeconds, undefined, now)
        } catch (error) {
          if (error instanceof Stripe.errors.StripeSignatureVerificationError)
            throw invalidSignature('The Stripe-Signature header does not match the body.')
          throw error
        }
      }
    })
  },
  { name: 'stripe', dependencies: ['config', 'clock', 'metrics'] }
)
