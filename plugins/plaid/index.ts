import fp from 'fastify-plugin'
import type { Environment } from '../access/caller.ts'
import type { Trx } from '../database/types.ts'
import { rateLimited } from '../http/errors/kinds.ts'
import type { UpstreamOutcome } from '../metrics/index.ts'
import { createAbsentPlaidClient, createPlaidClient, type PlaidClient } from './client.ts'
import { isPlaidFailure } from './failure.ts'
import { configuredPlaid, type PlaidService } from './service.ts'
import { createWebhookVerifier, type VerificationKey } from './webhook-verification.ts'

export type { PlaidClient } from './client.ts'
export { PlaidFailure, isPlaidFailure } from './failure.ts'

/** A webhook from Plaid; its other members depend on its type. */
export interface PlaidWebhook {
  webhook_type: string
  webhook_code: string
  [member: string]: unknown
}

/** Handles a webhook in one transaction. It only records work to do, because Plaid is called after the transaction. */
export type WebhookHandler = (trx: Trx, webhook: PlaidWebhook, environments: Environment[]) => Promise<void>

/** Runs in one transaction before the access to an item ends. @throws ProblemError when something still needs the item */
export type ItemRemovalCheck = (
  trx: Trx,
  item: { itemId: string; partnerId: string; accountIds: string[] }
) => Promise<void>

export interface Plaid {
  /** The client of one environment. Test credentials never reach Plaid's production. */
  in(environment: Environment): PlaidClient
  /** For each Plaid, the environments that share it. An environment without a Plaid is in none. */
  environments: Environment[][]
  /** The URL that receives webhooks of this environment; undefined when Plaid cannot reach this server. */
  webhookUrl(environment: Environment): string | undefined
  /**
   * The environments whose Plaid signed this body; empty when the signature is invalid.
   * @param address the client's, as `addressKey` counts it.
   * @throws ProblemError 429 `rate_limited` when the address has sent too many unknown key ids. Plaid retries.
   */
  verifyWebhook(token: string | undefined, body: Buffer, address: string): Promise<Environment[]>
  /** Registers a domain's handler for webhooks of one type, such as TRANSFER. */
  onWebhook(type: string, handler: WebhookHandler): void
  webhookHandlers(type: string): WebhookHandler[]
  /** Registers a domain's check that can refuse the removal of an item. */
  beforeItemRemoval(check: ItemRemovalCheck): void
  itemRemovalChecks(): ItemRemovalCheck[]
  /** How many days of transactions are requested for a newly linked item. */
  historyDays: number
}

export interface PlaidOptions {
  historyDays: number
  /** Plaids besides the one that the configuration names. */
  services: PlaidService[]
}

const tooManyUnknownKeys = () =>
  rateLimited(
    'This address sent too many webhooks with unknown key ids. Retry in 60 seconds.',
    {},
    { 'retry-after': '60' }
  )

/** Looks up one of Plaid's webhook keys; undefined when this Plaid does not know it. */
const keyFinderOf =
  (client: PlaidClient) =>
  async (keyId: string): Promise<VerificationKey | undefined> => {
    try {
      const { key } = await client.call((api) => api.webhookVerificationKeyGet({ key_id: keyId }), {
        repeatable: true,
        attempts: 2
      })
      return key
    } catch (error) {
      if (isPlaidFailure(error)) return undefined
      throw error
    }
  }

declare module 'fastify' {
  interface FastifyInstance {
    plaid: Plaid
  }
}

/** Gives every domain the Plaid clients and the verification of Plaid's webhooks. */
export default fp<PlaidOptions>(
  async (app, { historyDays, services }) => {
    const upstreams = [...services, ...configuredPlaid(app.config)].map(({ environments, webhookUrl, ...access }) => {
      const observe = (outcome: UpstreamOutcome, seconds: number) =>
        app.metrics.upstreamCalled('plaid', outcome, seconds)
      const client = createPlaidClient({ ...access, observe })
      const verify = createWebhookVerifier({ clock: app.clock, findKey: keyFinderOf(client) })
      return { environments, webhookUrl, client, verify }
    })
    const absent = { test: createAbsentPlaidClient('test'), live: createAbsentPlaidClient('live') }
    const handlers = new Map<string, WebhookHandler[]>()
    const removalChecks: ItemRemovalCheck[] = []
    const upstreamOf = (environment: Environment) =>
      upstreams.find(({ environments }) => environments.includes(environment))
    app.decorate('plaid', {
      in: (environment) => upstreamOf(environment)?.client ?? absent[environment],
      environments: upstreams.map(({ environments }) => environments),
      webhookUrl: (environment) => upstreamOf(environment)?.webhookUrl(),
      async verifyWebhook(token, body, address) {
        let isUnchecked = false
        for (const { environments, verify } of upstreams) {
          const verdict = await verify(token, body, address)
          if (verdict === 'genuine') return environments
          isUnchecked ||= verdict === 'unchecked'
        }
        if (isUnchecked) throw tooManyUnknownKeys()
        return []
      },
      onWebhook(type, handler) {
        handlers.set(type, [...(handlers.get(type) ?? []), handler])
      },
      webhookHandlers: (type) => handlers.get(type) ?? [],
      beforeItemRemoval: (check) => void removalChecks.push(check),
      itemRemovalChecks: () => removalChecks,
      historyDays
    })
  },
  { name: 'plaid', dependencies: ['config', 'clock', 'metrics'] }
)
