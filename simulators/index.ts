import type { FastifyInstance } from 'fastify'
import type { PlaidService } from '../plugins/plaid/service.ts'
import type { StripeService } from '../plugins/stripe/service.ts'
import type { PlaidSimulator } from './plaid/index.ts'
import type { StripeSimulator } from './stripe/index.ts'

/** The simulators that run in this process. */
export interface Simulators {
  plaid: PlaidSimulator | undefined
  stripe: StripeSimulator | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    simulators: Simulators
  }
}

// The compiler renames the files of import() only in functions of their own.
const loadMigrations = async () => await import('./migrate.ts')
const loadPlaid = async () => await import('./plaid/mount.ts')
const loadStripe = async () => await import('./stripe/mount.ts')

/** Migrates the schema; in production `npm run migrate` does, so a lack of tables is only logged. */
const prepareSchema = async (app: FastifyInstance): Promise<void> => {
  const { migrateToLatest, isMigrated } = await loadMigrations()
  if (app.config.environment !== 'production') {
    await migrateToLatest(app.database.db)
    return
  }
  app.addHook('onListen', async () => {
    if (!(await isMigrated(app.database.db)))
      app.log.error('The simulators have no tables. Run `npm run migrate` with ATLAS_SIMULATORS=true.')
  })
}

/**
 * Starts the simulators that the configuration enables, and loads the code of no other.
 *
 * @returns the services to call: at most one Plaid, and the Stripe.
 */
export const mountSimulators = async (
  app: FastifyInstance
): Promise<{ plaid: PlaidService[]; stripe: StripeService | undefined }> => {
  const { config } = app
  // Keys of Plaid's production leave test credentials without a Plaid; Stripe has no environments here.
  const needsPlaid = config.simulators && config.plaid.mode !== 'remote_sandbox'
  const needsStripe = config.simulators && config.stripe.mode === 'sandbox'
  if (needsPlaid || needsStripe) await prepareSchema(app)
  const plaid = needsPlaid ? await (await loadPlaid()).mountPlaid(app) : undefined
  const stripe = needsStripe ? await (await loadStripe()).mountStripe(app) : undefined
  app.decorate('simulators', { plaid: plaid?.simulator, stripe: stripe?.simulator })
  return { plaid: plaid === undefined ? [] : [plaid.service], stripe: stripe?.service }
}
