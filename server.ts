import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { buildApp, ensureDemoPartner } from './app.ts'
import { ConfigurationError, loadConfig } from './plugins/config/index.ts'
import { UnknownMigrationsError } from './plugins/database/migrator.ts'
import { version } from './plugins/version.ts'

const drainLimitMs = 30_000
/** Longer than the transit of a request from a load balancer that has not yet noticed the shutdown. */
const lingerMs = 1_000

/** Prints the version, the URL, the demo credentials and the next steps. In production it writes one log line without secrets. */
const greet = async (app: FastifyInstance): Promise<void> => {
  const { config, database } = app
  const { port } = app.server.address() as AddressInfo
  const url = config.publicUrl ?? `http://localhost:${port}`
  if (config.environment === 'production') {
    app.log.info(
      { url, version, database: database.driver, plaid: config.plaid.mode, stripe: config.stripe.mode },
      'AtlasForge is ready'
    )
    return
  }
  const demo = await ensureDemoPartner(app)
  const rows = [
    ['Reference', config.docsEnabled ? `${url}/docs` : 'off (ATLAS_DOCS_ENABLED)'],
    ['Database', database.driver === 'embedded' ? `embedded, in ${config.dataDir}` : 'PostgreSQL'],
    ['Plaid', config.plaid.mode === 'sandbox' ? 'built-in simulator' : config.plaid.mode],
    ['Stripe', config.stripe.mode === 'sandbox' ? 'built-in simulator' : config.stripe.mode],
    ...(demo === undefined
      ? []
      : [
          ['Test key', demo.testKey] as const,
          ['Furnisher key', demo.furnisherKey] as const,
          ['Sign-in', `${demo.email}  ${demo.password}`] as const,
          ['Partner id', demo.partnerId] as const
        ]),
    ['Ingest secret', config.ingestSecret ?? 'none (ATLAS_INGEST_SECRET)']
  ] as const
  console.log(`\n  AtlasForge ${version} listens on ${url}\n`)
  for (const [name, value] of rows) console.log(`  ${name.padEnd(14)} ${value}`)
  const key = demo?.testKey ?? '$ATLAS_KEY'
  console.log(
    `\n  Try it:\n    curl -H "Authorization: Bearer ${key}" "${url}/v1/accounts?user_id=usr_1"\n    npm run quickstart\n`
  )
}

const start = async (): Promise<void> => {
  const config = loadConfig(process.env)
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
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  await app.listen({ host: config.host, port: config.port })
  await greet(app)
}

start().catch((error: unknown) => {
  const portInUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  const explained = error instanceof ConfigurationError || error instanceof UnknownMigrationsError
  console.error(portInUse || explained ? error.message : error)
  if (portInUse)
    console.error('Another program uses this port. Choose another PORT, or ATLAS_METRICS_PORT for metrics.')
  process.exit(1)
})
