/* A server with unreachable rate limits and two years of transactions for each bank. Reports how long its event loop was held since the last report. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../plugins/config/index.ts'
import { liftedLimits } from './lifted-limits.ts'

const resolutionMs = 1
const delays = monitorEventLoopDelay({ resolution: resolutionMs })
const app = await buildApp({ config: loadConfig(process.env), rateLimits: liftedLimits })
const url = await app.listen({ host: '127.0.0.1', port: 0 })
delays.enable()
process.on('message', () => {
  process.send?.({ heldMs: Math.max(0, delays.max / 1e6 - resolutionMs) })
  delays.reset()
})
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)))
process.send?.({ url })
