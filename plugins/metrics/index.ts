import fp from 'fastify-plugin'
import { listenForMetrics, type Listener } from './listener.ts'
import type { Metrics } from './metrics.ts'

export type { UpstreamOutcome } from './metrics.ts'

const noop = (): void => undefined

const disabled: Metrics = {
  rateLimited: noop,
  overloaded: noop,
  replayed: noop,
  jobRan: noop,
  deliveryTried: noop,
  upstreamCalled: noop,
  gauge: noop,
  url: () => undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
}

/** Imported only when metrics are enabled. The build rewrites the path of a dynamic import only outside of `export default`. */
const loadRegistry = async () => await import('./registry.ts')

/** Prometheus metrics. While they are disabled, no package is loaded, no hook is added and nothing is measured. */
export default fp(
  async (app) => {
    const { metricsPort, host } = app.config
    if (metricsPort === undefined) {
      app.decorate('metrics', disabled)
      return
    }
    const { createMetrics } = await loadRegistry()
    const { registry, metrics, measureRequests } = createMetrics((name, error) =>
      app.log.warn({ err: error, metric: name }, 'reading a metric failed')
    )
    let listener: Listener | undefined
    measureRequests(app)
    app.decorate('metrics', { ...metrics, url: () => listener?.url() })
    app.addHook('onReady', async () => {
      listener = await listenForMetrics(registry, host, metricsPort, (error) =>
        app.log.error({ err: error }, 'writing the metrics response failed')
      )
    })
    // Closes last, so that a draining server can still be scraped.
    app.addHook('onClose', async () => await listener?.close())
  },
  { name: 'metrics', dependencies: ['config'] }
)
