import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { localUrl } from '../../plugins/http/urls.ts'
import { webhookPath, type PlaidService } from '../../plugins/plaid/service.ts'
import { createPlaidSimulator, type PlaidSimulator } from './index.ts'

/** Starts a Plaid on a port of its own, until the server closes. */
export const mountPlaid = async (
  app: FastifyInstance
): Promise<{ simulator: PlaidSimulator; service: PlaidService }> => {
  const { plaid, sandboxAutosettle } = app.config
  const isOnlyPlaid = plaid.mode === 'sandbox'
  // The simulator must not learn the credentials of Plaid's production.
  const { clientId, secret } = isOnlyPlaid
    ? plaid
    : { clientId: 'atlas-simulator', secret: randomBytes(15).toString('hex') }
  const webhookUrl = () => (app.server.listening ? `${localUrl(app)}${webhookPath}` : undefined)
  const simulator = await createPlaidSimulator({
    db: app.database.db,
    clock: app.clock,
    clientId,
    secret,
    transferWebhookUrl: webhookUrl,
    autosettle: sandboxAutosettle
  })
  app.addHook('onClose', () => simulator.api.close())
  const baseUrl = await simulator.api.listen({ host: '127.0.0.1', port: 0 })
  return {
    simulator,
    service: { environments: isOnlyPlaid ? ['test', 'live'] : ['test'], baseUrl, clientId, secret, webhookUrl }
  }
}
