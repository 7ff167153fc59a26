/* The measured server, with unreachable rate limits and three months of transactions for each of its many users. The parent process starts and stops the recording. */
import { createRecorder } from './recorder.ts'

const recorder = createRecorder()
const { buildApp } = await import('../../app.ts')
const { loadConfig } = await import('../../plugins/config/index.ts')
const { liftedLimits } = await import('./lifted-limits.ts')

const app = await buildApp({ config: loadConfig(process.env), rateLimits: liftedLimits, historyDays: 90 })
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.on('message', (message) => {
  if (message === 'start') recorder.start(app.server)
  if (message === 'start' || message === 'stop')
    process.send?.({ recorded: message === 'stop' ? recorder.stop() : undefined })
})
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)))
process.send?.({ url })
