import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import Stripe from 'stripe'
import { assertNoTransaction } from '../database/transaction.ts'
import { idempotencyConflict, upstreamUnavailable } from '../http/errors/kinds.ts'
import { defineProblem } from '../http/errors/problem.ts'
import type { UpstreamOutcome } from '../metrics/index.ts'
import { buildStripeSimulator, type StripeSimulator } from '../../simulators/stripe/index.ts'

const timeoutMs = 15_000
const retries = 2
const toleranceSeconds = 300
const expireEveryMs = 60_000
const pagesPath = '/simulators/stripe'
export const webhookPath = '/v1/stripe/webhook'
const expireSessionsJob = 'expire payment sessions of the simulator'

export const invalidSignature = defineProblem({
  status: 400,
  code: 'invalid_signature',
  meaning: 'The signature does not belong to the body that came with it, or is too old.',
  cure: 'Only Stripe sends here. Check STRIPE_WEBHOOK_SECRET, and that nothing between Stripe and this server changes the body.'
})

export const stripeNotConfigured = defineProblem({
  status: 503,
  code: 'stripe_not_configured',
  meaning: 'This server has no keys of Stripe’s, so that nothing can be bought.',
  cure: 'The operator sets STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET and starts the server again.'
})

const notConfigured = () =>
  stripeNotConfigured(
    'This server has no keys of Stripe’s. Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET and start it again.'
  )

export interface StripeService {
  /**
   * Calls Stripe through its own package, with retries under the one idempotency key.
   * @throws ProblemError 502 `upstream_unavailable` when Stripe cannot be reached or is broken; 422 `idempotency_conflict` when the key came to Stripe
   *   with other parameters before; 503 `stripe_not_configured`. Error when a database transaction is open.
   */
  call<T>(onwardKey: string, work: (client: Stripe, options: Stripe.RequestOptions) => Promise<T>): Promise<T>
  /**
   * Reads an event that Stripe signed.
   * @throws ProblemError 400 `invalid_signature`; 503 `stripe_not_configured`.
   */
  readEvent(body: Buffer, signature: string | undefined): Stripe.Event
  /** Where browsers reach this server, without a slash at the end. */
  publicUrl(): string
  /** The built-in Stripe; undefined when the server works with the real one, or with none. */
  simulator: StripeSimulator | undefined
}

const localUrl = (app: FastifyInstance): string => {
  const address = app.server.address() as AddressInfo | null
  if (address === null) throw new Error('The server does not listen yet.')
  const everywhere = ['0.0.0.0', '::'].includes(address.address)
  const host = everywhere ? '127.0.0.1' : address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

const openSimulator = async (app: FastifyInstance, publicUrl: () => string): Promise<StripeSimulator> => {
  const { secretKey, webhookSecret } = app.config.stripe
  const simulator = await buildStripeSimulator({
    db: app.database.db,
    clock: app.clock,
    secretKey,
    webhookSecret,
    webhookUrl: () => `${localUrl(app)}${webhookPath}`,
    checkoutBaseUrl: () => `${publicUrl()}${pagesPath}`,
    logger: app.log
  })
  await app.register(simulator.checkoutPages, { prefix: pagesPath })
  app.jobs.every(expireSessionsJob, expireEveryMs, async () => void (await simulator.expireSessions()))
  app.addHook('onListen', () => {
    simulator
      .resendPending()
      .catch((error: unknown) =>
        app.log.error({ err: error }, 'pending events of the Stripe simulator were not taken up')
      )
  })
  app.addHook('onClose', () => simulator.api.close())
  return simulator
}

/** The real Stripe, or the simulator behind the same package: only the address differs. */
const createConnector = (app: FastifyInstance, simulator: StripeSimulator | undefined): (() => Promise<Stripe>) => {
  const options: Stripe.StripeConfig = { timeout: timeoutMs, maxNetworkRetries: retries, telemetry: false }
  const connect = async (): Promise<Stripe> => {
    if (simulator === undefined) return new Stripe(app.config.stripe.secretKey, options)
    const { port } = new URL(await simulator.api.listen({ host: '127.0.0.1', port: 0 }))
    return new Stripe(app.config.stripe.secretKey, { ...options, host: '127.0.0.1', port, protocol: 'http' })
  }
  let connected: Promise<Stripe> | undefined
  return () => (connected ??= connect())
}

const toProblem = (error: unknown): unknown => {
  if (error instanceof Stripe.errors.StripeIdempotencyError) {
    return idempotencyConflict(
      'This idempotency key was used with another body before, so that Stripe refuses it; make a new one.'
    )
  }
  const broken = [Stripe.errors.StripeConnectionError, Stripe.errors.StripeAPIError, Stripe.errors.StripeRateLimitError]
  if (broken.some((kind) => error instanceof kind))
    return upstreamUnavailable('Stripe did not answer. Try again with the same idempotency key.')
  return error
}

declare module 'fastify' {
  interface FastifyInstance {
    stripe: StripeService
  }
}

/** Stripe, real or built in. */
export default fp(
  async (app) => {
    const { stripe, publicUrl: configuredUrl } = app.config
    const publicUrl = (): string => configuredUrl ?? localUrl(app)
    const simulator = stripe.mode === 'sandbox' ? await openSimulator(app, publicUrl) : undefined
    const connect = createConnector(app, simulator)
    const signatures = stripe.mode === 'not_configured' ? undefined : new Stripe(stripe.secretKey).webhooks
    if (simulator !== undefined) app.addHook('onReady', async () => void (await connect()))
    app.decorate('stripe', {
      simulator,
      publicUrl,
      async call(onwardKey, work) {
        assertNoTransaction()
        if (signatures === undefined) throw notConfigured()
        const startedAt = performance.now()
        const tell = (outcome: UpstreamOutcome): void =>
          app.metrics.upstreamCalled('stripe', outcome, (performance.now() - startedAt) / 1000)
        try {
          const result = await work(await connect(), { idempotencyKey: onwardKey })
          tell('ok')
          return result
        } catch (error) {
          const problem = toProblem(error)
          tell(problem === error || error instanceof Stripe.errors.StripeIdempotencyError ? 'refused' : 'failed')
          if (problem !== error) app.log.warn({ err: error }, 'a call to Stripe failed')
          throw problem
        }
      },
      readEvent(body, signature) {
        if (signatures === undefined) throw notConfigured()
        try {
          return signatures.constructEvent(
            body,
            signature ?? '',
            stripe.webhookSecret,
            toleranceSeconds,
            undefined,
            app.clock.now().getTime()
          )
        } catch (error) {
          if (error instanceof Stripe.errors.StripeSignatureVerificationError)
            throw invalidSignature('The Stripe-Signature header does not belong to this body.')
          throw error
        }
      }
    })
  },
  { name: 'stripe', dependencies: ['config', 'clock', 'database', 'jobs', 'metrics'] }
)
