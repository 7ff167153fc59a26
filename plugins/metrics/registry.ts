import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { version } from '../version.ts'
import { whenEnded } from '../http/open-responses.ts'
import type { GaugeOptions, Metrics, Read, Reading } from './metrics.ts'

type OnFailure = (name: string, error: unknown) => void

const readTimeoutMs = 2_000

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const upstreamBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const jobBuckets = [0.01, 0.1, 1, 10, 60, 600]

/** One label value for all requests without an operation, so that unknown paths cannot create series. */
const unknownOperation = 'unknown'

const createRequestTimer = (registry: Registry): ((app: FastifyInstance) => void) => {
  const duration = new Histogram({
    name: 'atlas_http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its response.',
    labelNames: ['operation', 'method', 'status'],
    buckets: requestBuckets,
    registers: [registry]
  })
  // Caches one observer per series: `labels()` hashes its labels on every call.
  const observers = new Map<string, Histogram.Internal<string>>()
  const observerOf = (request: FastifyRequest, status: string): Histogram.Internal<string> => {
    const operation = request.routeOptions.config.operation?.operationId ?? unknownOperation
    const key = `${operation} ${request.method} ${status}`
    const known = observers.get(key)
    if (known !== undefined) return known
    const observer = duration.labels({ operation, method: request.method, status })
    observers.set(key, observer)
    return observer
  }
  return (app) => {
    app.addHook('onRequest', (request, reply, next) => {
      whenEnded(request.raw, reply.raw, () => {
        observerOf(request, reply.raw.writableFinished ? `${Math.floor(reply.statusCode / 100)}xx` : 'aborted').observe(
          reply.elapsedTime / 1000
        )
      })
      next()
    })
  }
}

/** Bounds the time of a reading: metrics matter most when something hangs. */
const readInTime = async (read: Read): Promise<Reading> => {
  const timer = new AbortController()
  const late = delay(readTimeoutMs, undefined, { signal: timer.signal, ref: false }).then(
    () => Promise.reject(new Error(`Reading the metric timed out after ${readTimeoutMs} ms.`)),
    () => undefined
  )
  try {
    return await Promise.race([Promise.resolve().then(read), late])
  } finally {
    timer.abort()
  }
}

const addGauge = (registry: Registry, onFailure: OnFailure, { name, help, label }: GaugeOptions, read: Read): void => {
  new Gauge({
    name,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    async collect() {
      const reading = await readInTime(read).catch((error: unknown) => {
        onFailure(name, error)
        return undefined
      })
      // An unknown value is left out, because an old value would look current.
      this.reset()
      if (typeof reading === 'number') this.set(reading)
      else if (label === undefined) this.remove()
      else for (const [value, number] of Object.entries(reading ?? {})) this.set({ [label]: value }, number)
    }
  })
}

const createCounters = (registry: Registry) => {
  const registers = [registry]
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]) =>
    new Histogram({ name, help, buckets, labelNames, registers })
  return {
    limited: counter('atlas_rate_limited_total', 'Requests that were rejected with 429.', 'class'),
    overloaded: counter(
      'atlas_overloaded_total',
      'Requests that were rejected because the server was overloaded.',
      'reason'
    ),
    replays: counter(
      'atlas_idempotent_replays_total',
      'Requests that received the stored response of their idempotency key.'
    ),
    deliveries: counter('atlas_webhook_attempts_total', 'Webhook delivery attempts.', 'outcome'),
    jobs: histogram('atlas_job_duration_seconds', 'Duration of background job runs.', jobBuckets, 'job', 'outcome'),
    upstream: histogram(
      'atlas_upstream_call_duration_seconds',
      'Duration of calls to upstream services.',
      upstreamBuckets,
      'service',
      'outcome'
    )
  }
}

/** Creates the registry of one server and its counters. Calls `onFailure` when reading a gauge fails. */
export const createMetrics = (
  onFailure: OnFailure
): { registry: Registry; metrics: Omit<Metrics, 'url'>; measureRequests: (app: FastifyInstance) => void } => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'atlas_info',
    help: 'Always 1; the label is the version.',
    labelNames: ['version'],
    registers: [registry]
  }).set({ version }, 1)
  const { limited, overloaded, replays, deliveries, jobs, upstream } = createCounters(registry)
  return {
    registry,
    measureRequests: createRequestTimer(registry),
    metrics: {
      rateLimited: (rateClass) => limited.inc({ class: rateClass }),
      overloaded: (reason) => overloaded.inc({ reason }),
      replayed: () => replays.inc(),
      jobRan: (job, outcome, seconds) => jobs.observe({ job, outcome }, seconds),
      deliveryTried: (outcome) => deliveries.inc({ outcome }),
      upstreamCalled: (service, outcome, seconds) => upstream.observe({ service, outcome }, seconds),
      gauge: (options, read) => addGauge(registry, onFailure, options, read)
    }
  }
}
