import { buildApp } from './app.ts'
import { ConfigurationError, loadConfig } from './plugins/config/index.ts'

const drainLimitMs = 30_000

const start = async (): Promise<void> => {
  const config = loadConfig(process.env)
  const app = await buildApp({ config })
  await app.listen({ host: config.host, port: config.port })
  let closing: Promise<void> | undefined
  const drain = (): void => {
    // What was accepted is answered; a request that hangs must not keep the process for ever.
    setTimeout(() => process.exit(1), drainLimitMs).unref()
    closing ??= app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        app.log.error({ err: error }, 'the server did not close cleanly')
        process.exit(1)
      }
    )
  }
  process.once('SIGTERM', drain)
  process.once('SIGINT', drain)
}

start().catch((error: unknown) => {
  console.error(error instanceof ConfigurationError ? error.message : error)
  process.exit(1)
})
