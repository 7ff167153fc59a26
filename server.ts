import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp, ensureDemoPartner } from './app.ts'
import { loadConfig } from './plugins/config/index.ts'
import { checkStart } from './plugins/startup/checks.ts'
import { StartupError } from './plugins/startup/error.ts'
import { localUrl, printGreeting } from './plugins/startup/greeting.ts'
import { explainListening } from './plugins/startup/ports.ts'
import { version } from './plugins/version.ts'

const drainLimitMs = 30_000
/** Longer than the transit of a request from a load balancer that has not yet noticed the shutdown. */
const lingerMs = 1_000

/** Prints the URL and the demo credentials. In production it writes one log line without secrets. */
const greet = async (app: FastifyInstance): Promise<void> => {
  const { config, database } = app
  const { port } = app.server.address() as AddressInfo
  const url = localUrl(config.host, port)
  if (config.environment === 'production') {
    app.log.info(
      {
        url: config.publicUrl ?? url,
        version,
        database: database.driver,
        plaid: config.plaid.mode,
        stripe: config.stripe.mode
      },
      'AtlasForge is ready'
    )
    return
  }
  const demo = await ensureDemoPartner(app)
  console.log(printGreeting({ config, url, demo }))
}

const start = async (): Promise<void> => {
  const config = loadConfig(process.env)
  await checkStart(config)
  const tracing = config.tracingEnabled ? (await import('./plugins/tracing/start.ts')).startTracing() : undefined
  const app = await buildApp({ config, lingerMs })
  const stop = (): void => {
    // A request that hangs must not keep the process alive.
    setTimeout(() => process.exit(1), config.drainDelayMs + drainLimitMs).unref()
    const sendTraces = async (): Promise<void> =>
      await tracing?.stop().catch((error: unknown) => app.log.warn({ err: error }, 'exporting the last traces failed'))
    app
      .drain()
      .then(sendTraces)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          app.log.error({ err: error }, 'the server did not close cleanly')
          process.exit(1)
        }
      )
  }
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop)
  await app.listen({ host: config.host, port: config.port }).catch((error: unknown) => {
    throw explainListening(error, config)
  })
  await greet(app)
}

start().catch((error: unknown) => {
  console.error(error instanceof StartupError ? error.message : error)
  process.exit(1)
})
