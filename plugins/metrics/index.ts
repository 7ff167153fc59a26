import fp from 'fastify-plugin'
import type { RateLimitClass } from '../operations/table.ts'
import { listenForMetrics, type Listener } from './listener.ts'

/** How a call to another service ended: it did as asked, it refused, or nobody can tell. */
export type UpstreamOutcome = 'ok' | 'refused' | 'failed'

/** A state that is read whenever the metrics are asked for. */
export interface State {
  name: string
  help: string
  /** The name of its one label, if it has one. */
  label?: string
}

/** One number, or one for each value of the label; undefined when it cannot be told. */
export type Reading = number | Record<string, number> | undefined
export type Read = () => Reading | Promise<Reading>

/** What happens is counted through this, where it happens. All of it does nothing while the metrics are off. */
export interface Metrics {
  rateLimited(rateClass: RateLimitClass): void
  overloaded(reason: string): void
  replayed(): void
  jobRan(job: string, outcome: 'ok' | 'failed', seconds: number): void
  deliveryTried(outcome: 'succeeded' | 'failed'): void
  upstreamCalled(service: 'plaid' | 'stripe' | 'twilio', outcome: UpstreamOutcome, seconds: number): void
  /** Adds a state. A reading that fails or takes long is left out of the answer that it was for. */
  gauge(state: State, read: Read): void
  /** Where the metrics are read, once the server is ready; undefined when they are off. */
  url(): string | undefined
}

const nothing = (): void => undefined

const off: Metrics = {
  rateLimited: nothing,
  overloaded: nothing,
  replayed: nothing,
  jobRan: nothing,
  deliveryTried: nothing,
  upstreamCalled: nothing,
  gauge: nothing,
  url: () => undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
}

/** Loaded only where it is wanted. Not inside the export below: there the compiler leaves the name of the file as it is. */
const loadRegistry = async () => await import('./registry.ts')

/** Metrics for Prometheus. While they are off, nothing is loaded, hooked or measured. */
export default fp(
  async (app) => {
    const { metricsPort, host } = app.config
    if (metricsPort === undefined) {
      app.decorate('metrics', off)
      return
    }
    const { createMetrics } = await loadRegistry()
    const { registry, metrics, measureRequests } = createMetrics((name, error) =>
      app.log.warn({ err: error, metric: name }, 'a metric could not be read')
    )
    let listener: Listener | undefined
    measureRequests(app)
    app.decorate('metrics', { ...metrics, url: () => listener?.url() })
    app.addHook('onReady', async () => {
      listener = await listenForMetrics(registry, host, metricsPort, (error) =>
        app.log.error({ err: error }, 'the metrics could not be written')
      )
    })
    // Last of all, so that a server that drains can be watched.
    app.addHook('onClose', async () => await listener?.close())
  },
  { name: 'metrics', dependencies: ['config'] }
)
