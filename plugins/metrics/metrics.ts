import type { RateLimitClass } from '../operations/table.ts'

/** How a call to an upstream service ended: it succeeded, the service rejected it, or the outcome is unknown. */
export type UpstreamOutcome = 'ok' | 'refused' | 'failed'

/** A gauge whose value is read on every scrape. */
export interface GaugeOptions {
  name: string
  help: string
  /** The name of its only label, if it has one. */
  label?: string
}

/** One value, or one per value of the label; undefined when the value is unknown. */
export type Reading = number | Record<string, number> | undefined
export type Read = () => Reading | Promise<Reading>

/** Counters are incremented where the event happens. Every method does nothing while metrics are disabled. */
export interface Metrics {
  rateLimited(rateClass: RateLimitClass): void
  overloaded(reason: string): void
  replayed(): void
  jobRan(job: string, outcome: 'ok' | 'failed', seconds: number): void
  deliveryTried(outcome: 'succeeded' | 'failed'): void
  upstreamCalled(service: 'plaid' | 'stripe' | 'twilio' | 'smtp', outcome: UpstreamOutcome, seconds: number): void
  /** Registers a gauge. A scrape leaves it out when `read` fails or times out. */
  gauge(options: GaugeOptions, read: Read): void
  /** The URL of the metrics endpoint once the server is ready; undefined while metrics are disabled. */
  url(): string | undefined
}
