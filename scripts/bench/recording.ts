import { once } from 'node:events'
import type { Child } from './children.ts'
import { findFresh, freshKey, type BenchCase, type Exchange, type RecordedCall, type Step } from './exchange.ts'
import type { SeenStep } from './recorder.ts'

/** A case, and the product's work for each of its requests. */
export interface Recorded {
  bench: BenchCase
  exchanges: Exchange[]
}

/** The processes that record. */
export interface Witnesses {
  product: Child
  bank: Child
}

const ask = async ({ process: child }: Child, message: 'start' | 'stop'): Promise<unknown> => {
  child.send(message)
  const [{ recorded }] = (await once(child, 'message')) as [{ recorded?: unknown }]
  return recorded
}

/** Merges the bank's recording into the product's. Omits calls of background jobs. */
const withCalls = (seen: SeenStep[], gotByBank: RecordedCall[]): Step[] => {
  const left = [...gotByBank]
  const find = (path: string): RecordedCall => {
    const index = left.findIndex((call) => call.path === path)
    if (index < 0) throw new Error(`The product sent a request to ${path} that the bank did not receive.`)
    return left.splice(index, 1)[0] as RecordedCall
  }
  return seen.map(({ statements, calls }) => ({ statements, calls: calls.map(({ path }) => find(path)) }))
}

const recordOnce = async (
  { product, bank }: Witnesses,
  bench: BenchCase,
  { path, body }: BenchCase['requests'][number]
): Promise<Omit<Exchange, 'fresh'>> => {
  await Promise.all([ask(product, 'start'), ask(bank, 'start')])
  const headers = { ...bench.headers, ...(bench.keyed === true ? { 'idempotency-key': freshKey() } : {}) }
  const response = await fetch(`${product.url}${path}`, {
    method: bench.method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const answer = await response.text()
  const [seen, gotByBank] = (await Promise.all([ask(product, 'stop'), ask(bank, 'stop')])) as [
    SeenStep[],
    RecordedCall[]
  ]
  if (!response.ok) throw new Error(`${bench.name} answered ${response.status}: ${answer}`)
  return { steps: withCalls(seen, gotByBank), status: response.status, answer }
}

/** Records the product's work for each request of a case. Ignores the first time, which opens connections, and compares two more to find the values that change. */
export const record = async (witnesses: Witnesses, bench: BenchCase): Promise<Recorded> => {
  const exchanges: Exchange[] = []
  for (const request of bench.requests) {
    await recordOnce(witnesses, bench, request)
    const other = await recordOnce(witnesses, bench, request)
    const exchange = await recordOnce(witnesses, bench, request)
    exchanges.push({ ...exchange, fresh: findFresh(exchange.steps, other.steps) })
  }
  return { bench, exchanges }
}
