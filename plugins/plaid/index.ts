import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Environment } from '../access/caller.ts'
import type { Trx } from '../database/types.ts'
import { addressOfPlaid } from './address.ts'
import { absentPlaidClient, createPlaidClient, type PlaidClient, type PlaidClientOptions } from './client.ts'
import { isPlaidFailure } from './failure.ts'
import { buildPlaidSimulator, type PlaidSimulatorControls } from '../../simulators/plaid/index.ts'
import { createWebhookVerifier } from './webhook-verification.ts'

export type { PlaidClient } from './client.ts'
export { PlaidFailure, isPlaidFailure } from './failure.ts'

/** A webhook of Plaid's; which other members it has depends on its type. */
export interface PlaidWebhook {
  webhook_type: string
  webhook_code: string
  [member: string]: unknown
}

/** What a webhook does, in one transaction. It only marks what is to be done: Plaid is called afterwards. */
export type WebhookHandler = (trx: Trx, webhook: PlaidWebhook, environments: Environment[]) => Promise<void>

/** Asked in one transaction, before the access to an item ends. @throws ProblemError when something needs it still */
export type ItemRemovalCheck = (
  trx: Trx,
  item: { itemId: string; partnerId: string; accountIds: string[] }
) => Promise<void>

export interface Plaid {
  /** The client for one environment: test credentials never reach production. */
  in(environment: Environment): PlaidClient
  /** Where Plaid's webhooks reach this server; undefined when nobody outside could know. */
  webhookUrl(environment: Environment): string | undefined
  /** The environments whose Plaid signed this body; none when nobody's did. */
  verifyWebhook(token: string | undefined, body: Buffer): Promise<Environment[]>
  /** Lets a domain take the webhooks of one type, such as TRANSFER. */
  onWebhook(type: string, handler: WebhookHandler): void
  webhookHandlers(type: string): WebhookHandler[]
  /** Lets a domain keep the access to an item for as long as it needs it. */
  beforeItemRemoval(check: ItemRemovalCheck): void
  itemRemovalChecks(): ItemRemovalCheck[]
  /** How many days of transactions are asked of a newly linked item. */
  historyDays: number
  /** Controls of the built-in simulator, where it is in use. */
  simulator: PlaidSimulatorControls | undefined
}

/** Where this server's own processes reach it: by the address that it listens on. */
const ownAddress = (app: FastifyInstance): string | undefined => {
  const address = app.server.address()
  if (address === null || typeof address === 'string') return undefined
  const anywhere = address.address === '0.0.0.0' || address.address === '::'
  const host = anywhere ? '127.0.0.1' : address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

const webhookPath = '/v1/plaid/webhook'

interface Upstream {
  environments: Environment[]
  client: PlaidClient
  webhookUrl: () => string | undefined
}

const observerOf =
  ({ metrics }: FastifyInstance): NonNullable<PlaidClientOptions['observe']> =>
  (outcome, seconds) =>
    metrics.upstreamCalled('plaid', outcome, seconds)

/** Plaid's own service, in the sandbox or in production. It can only reach an address that the operator has named. */
const remote = (app: FastifyInstance, environments: Environment[]): Upstream => {
  const { plaid, publicUrl } = app.config
  const address = addressOfPlaid(plaid)
  return {
    environments,
    client: createPlaidClient({
      basePath: () => address,
      clientId: plaid.clientId,
      secret: plaid.secret,
      observe: observerOf(app)
    }),
    webhookUrl: () => (publicUrl === undefined ? undefined : `${publicUrl}${webhookPath}`)
  }
}

/** The simulator in this process. Beside the real service, whose credentials it must not know, it has some of its own. */
const startSimulator = async (
  app: FastifyInstance,
  environments: Environment[]
): Promise<Upstream & { controls: PlaidSimulatorControls }> => {
  const { mode, clientId, secret } = app.config.plaid
  const credentials =
    mode === 'sandbox' ? { clientId, secret } : { clientId: 'atlas-simulator', secret: randomBytes(15).toString('hex') }
  const webhookUrl = () => {
    const address = ownAddress(app)
    return address === undefined ? undefined : `${address}${webhookPath}`
  }
  const simulator = await buildPlaidSimulator({
    db: app.database.db,
    clock: app.clock,
    ...credentials,
    transferWebhookUrl: webhookUrl,
    autosettle: app.config.sandboxAutosettle
  })
  await simulator.listen({ host: '127.0.0.1', port: 0 })
  app.addHook('onClose', () => simulator.close())
  const { port } = simulator.server.address() as AddressInfo
  const client = createPlaidClient({
    basePath: () => `http://127.0.0.1:${port}`,
    ...credentials,
    observe: observerOf(app)
  })
  return { environments, client, webhookUrl, controls: simulator.simulator }
}

/** Test credentials work on a sandbox whatever the server's mode: in production on the simulator, since Plaid's keys there are for real accounts. */
const openUpstreams = async (
  app: FastifyInstance
): Promise<{ upstreams: Upstream[]; simulator?: PlaidSimulatorControls }> => {
  const { mode } = app.config.plaid
  if (mode === 'remote_sandbox') return { upstreams: [remote(app, ['test', 'live'])] }
  const simulated = await startSimulator(app, mode === 'sandbox' ? ['test', 'live'] : ['test'])
  const live: Upstream =
    mode === 'live'
      ? remote(app, ['live'])
      : { environments: ['live'], client: absentPlaidClient, webhookUrl: () => undefined }
  return { upstreams: mode === 'sandbox' ? [simulated] : [simulated, live], simulator: simulated.controls }
}

const verifierOf = (app: FastifyInstance, { client }: Upstream) =>
  createWebhookVerifier({
    clock: app.clock,
    async findKey(keyId) {
      try {
        return (
          await client.call((api) => api.webhookVerificationKeyGet({ key_id: keyId }), {
            repeatable: true,
            attempts: 2
          })
        ).key
      } catch (error) {
        if (isPlaidFailure(error) || client === absentPlaidClient) return undefined
        throw error
      }
    }
  })

declare module 'fastify' {
  interface FastifyInstance {
    plaid: Plaid
  }
}

/** Plaid for every domain: the client, its webhooks' verification, and the built-in simulator. */
export default fp<{ historyDays: number }>(
  async (app, { historyDays }) => {
    const { upstreams, simulator } = await openUpstreams(app)
    const verifiers = upstreams.map((upstream) => ({
      environments: upstream.environments,
      verify: verifierOf(app, upstream)
    }))
    const handlers = new Map<string, WebhookHandler[]>()
    const removalChecks: ItemRemovalCheck[] = []
    const upstreamOf = (environment: Environment): Upstream => {
      const upstream = upstreams.find(({ environments }) => environments.includes(environment))
      if (upstream === undefined) throw new Error(`There is no Plaid for the environment "${environment}".`)
      return upstream
    }
    app.decorate('plaid', {
      in: (environment) => upstreamOf(environment).client,
      webhookUrl: (environment) => upstreamOf(environment).webhookUrl(),
      async verifyWebhook(token, body) {
        for (const { environments, verify } of verifiers) if (await verify(token, body)) return environments
        return []
      },
      onWebhook(type, handler) {
        handlers.set(type, [...(handlers.get(type) ?? []), handler])
      },
      historyDays,
      webhookHandlers: (type) => handlers.get(type) ?? [],
      beforeItemRemoval: (check) => void removalChecks.push(check),
      itemRemovalChecks: () => removalChecks,
      simulator
    })
  },
  { name: 'plaid', dependencies: ['config', 'clock', 'database', 'metrics'] }
)
