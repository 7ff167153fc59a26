import autocannon from 'autocannon'
import { freshKey, type BenchCase } from './exchange.ts'

/** What one round of a measurement saw. */
export interface Round {
  /** How long each request took. */
  timesMs: number[]
  seconds: number
}

export interface Measured {
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/** The value below which `share` of the sorted values lie. */
const quantile = (sorted: number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

export const sumUp = (rounds: Round[]): Measured => {
  const timesMs = rounds.flatMap((round) => round.timesMs).sort((a, b) => a - b)
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0)
  return { perSecond: timesMs.length / seconds, p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99) }
}

/**
 * Sends the requests of a case in turn, over and over for some seconds.
 * @throws Error when an answer is not a success: a figure of failures is worth nothing.
 */
export const load = async (url: string, { name, method, headers, requests, keyed }: BenchCase, connections: number, seconds: number): Promise<Round> => {
  const prepared = requests.map(({ path, body }) => ({ method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))
  let turn = 0
  // Each connection would begin with the first request by itself.
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    const next = prepared[turn++ % prepared.length]
    return { ...request, ...next, headers: { ...headers, ...(keyed === true ? { 'idempotency-key': freshKey() } : {}) } }
  }
  const changes = keyed === true || prepared.length > 1
  const timesMs: number[] = []
  let failed = 0
  const { duration, errors } = await new Promise<autocannon.Result>((done, broke) => {
    const instance = autocannon({ url, connections, duration: seconds, requests: [{ ...prepared[0], ...(changes ? { setupRequest } : {}) }] }, (error: unknown, result) => {
      if (error === null || error === undefined) done(result)
      else broke(error instanceof Error ? error : new Error('The measurement broke off.', { cause: error }))
    })
    instance.on('response', (_client, status, _bytes, timeMs) => {
      timesMs.push(timeMs)
      if (status < 200 || status > 299) failed++
    })
  })
  if (failed + errors > 0 || timesMs.length === 0) throw new Error(`${name}: ${failed} of ${timesMs.length} answers were no success, and ${errors} requests had none.`)
  return { timesMs, seconds: duration }
}
