import fastify, { type FastifyInstance } from 'fastify'
import { registerModules } from './modules/index.ts'
import agentOwners from './plugins/events/agent-owners.ts'
import auth from './plugins/access/index.ts'
import brokenRequests, { answerBrokenRequest } from './plugins/http/broken-requests.ts'
import clockPlugin, { systemClock, type Clock } from './plugins/clock.ts'
import type { Config } from './plugins/config/index.ts'
import configPlugin from './plugins/config/plugin.ts'
import cors from './plugins/http/cors.ts'
import cursors from './plugins/paging/cursors.ts'
import databasePlugin, { type DatabaseHandle } from './plugins/database/index.ts'
import draining from './plugins/http/draining.ts'
import errors, { answerUnroutable } from './plugins/http/errors/index.ts'
import idempotency from './plugins/operations/idempotency-keys.ts'
import incoming from './plugins/http/incoming.ts'
import jobs from './plugins/events/jobs.ts'
import ledger from './plugins/ledger/index.ts'
import { loggerOptions } from './plugins/http/logger.ts'
import mcp from './plugins/mcp/index.ts'
import messages from './plugins/events/messages/index.ts'
import metrics from './plugins/metrics/index.ts'
import notifications from './plugins/events/notifications/index.ts'
import operations from './plugins/operations/index.ts'
import outbox from './plugins/events/outbox.ts'
import { LingeringServer } from './plugins/http/lingering-server.ts'
import overload from './plugins/http/overload.ts'
import plaid from './plugins/plaid/index.ts'
import rateLimit, { type RateLimits } from './plugins/access/rate-limit.ts'
import { requestIdOf } from './plugins/http/request-ids.ts'
import reserves from './plugins/ledger/reserves.ts'
import responseHeaders from './plugins/http/response-headers.ts'
import schemaCheck from './plugins/database/schema-check.ts'
import secrets from './plugins/access/secrets.ts'
import stripe from './plugins/stripe/index.ts'
import tracing from './plugins/tracing/plugin.ts'
import { mountSimulators } from './simulators/index.ts'
import { rateLimits as specifiedLimits } from './spec/generated/index.ts'

export interface AppOptions {
  config: Config
  clock?: Clock
  /** An open database. By default the app opens the configured one and closes it. */
  database?: DatabaseHandle
  /** The rate limit of each class (default: those of the specification). */
  rateLimits?: RateLimits
  /** How many days of transactions to request for a newly linked item (default: all that Plaid has). */
  historyDays?: number
  /** How long, in milliseconds, a closing server still accepts requests on open connections (default: 0). */
  lingerMs?: number
  /** The destination of log lines (default: standard output). */
  logStream?: { write(line: string): void } | undefined
}

export { ensureDemoPartner } from './modules/identity/index.ts'

/** In milliseconds: what a client has for its headers, for a whole request, and between two requests. Late clients get 408. */
const deadlines = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 72_000,
  connectionsCheckingInterval: 1_000
}

/** Builds the server. The caller calls `listen` and `close`. */
export const buildApp = async (options: AppOptions): Promise<FastifyInstance> => {
  const {
    config,
    clock = systemClock,
    database,
    rateLimits = specifiedLimits,
    historyDays = 730,
    lingerMs = 0,
    logStream
  } = options
  const app = fastify({
    logger: loggerOptions(config, logStream),
    genReqId: requestIdOf,
    // Trusts one hop, the operator's proxy. The client can forge the earlier entries of X-Forwarded-For.
    trustProxy: config.trustProxy && ((_address: string, hop: number) => hop === 0),
    bodyLimit: 1024 * 1024,
    // The first start of the embedded database takes seconds, more on a slow machine.
    pluginTimeout: 120_000,
    frameworkErrors: answerUnroutable(config),
    clientErrorHandler: answerBrokenRequest(config),
    // A request without `Host` gets a problem instead of Node's response.
    serverFactory: (handler) => new LingeringServer({ ...deadlines, requireHostHeader: false }, handler),
    forceCloseConnections: 'idle',
    // A closing server still serves requests; plugins/http/draining.ts closes the connection after each response.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 255 }
  })
  await app.register(configPlugin, { config })
  await app.register(clockPlugin, { clock })
  await app.register(metrics)
  await app.register(tracing)
  await app.register(draining, { lingerMs })
  await app.register(responseHeaders)
  await app.register(cors)
  await app.register(errors)
  await app.register(brokenRequests)
  await app.register(secrets)
  await app.register(cursors)
  await app.register(databasePlugin, { database })
  await app.register(overload)
  await app.register(incoming)
  await app.register(schemaCheck)
  await app.register(jobs)
  await app.register(outbox)
  await app.register(agentOwners)
  await app.register(ledger)
  await app.register(reserves)
  await app.register(notifications)
  await app.register(messages)
  await app.register(idempotency)
  await app.register(auth)
  await app.register(rateLimit, { rateLimits })
  await app.register(operations)
  await app.register(mcp)
  const simulated = await mountSimulators(app)
  await app.register(plaid, { historyDays, services: simulated.plaid })
  await app.register(stripe, { service: simulated.stripe })
  await registerModules(app)
  return app
}
