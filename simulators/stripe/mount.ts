import type { FastifyInstance } from 'fastify'
import { localUrl, publicUrl } from '../../plugins/http/urls.ts'
import { webhookPath, type StripeService } from '../../plugins/stripe/service.ts'
import { createStripeSimulator, type StripeSimulator } from './index.ts'

const pagesPath = '/simulators/stripe'
const expireEveryMs = 60_000

/** Starts a Stripe on a port of its own, until the server closes. This server shows its payment pages. */
export const mountStripe = async (
  app: FastifyInstance
): Promise<{ simulator: StripeSimulator; service: StripeService }> => {
  const { secretKey, webhookSecret } = app.config.stripe
  const simulator = await createStripeSimulator({
    db: app.database.db,
    clock: app.clock,
    secretKey,
    webhookSecret,
    webhookUrl: () => `${localUrl(app)}${webhookPath}`,
    checkoutBaseUrl: () => `${publicUrl(app)}${pagesPath}`,
    logger: app.log
  })
  await app.register(simulator.checkoutPages, { prefix: pagesPath })
  app.jobs.every('expire payment sessions of the simulator', expireEveryMs, async () => {
    await simulator.expireSessions()
  })
  app.addHook('onListen', () => {
    simulator
      .resendPending()
      .catch((error: unknown) => app.log.error({ err: error }, 'the Stripe simulator could not resend its events'))
  })
  app.addHook('onClose', () => simulator.api.close())
  return {
    simulator,
    service: { secretKey, webhookSecret, baseUrl: await simulator.api.listen({ host: '127.0.0.1', port: 0 }) }
  }
}
