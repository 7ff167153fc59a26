import { setTimeout as wait } from 'node:timers/promises'
import { Agent, request } from 'undici'

export interface Experience {
  p50Ms: number
  p99Ms: number
  requests: number
  /** Responses other than 2xx, by status; 0 for no response. */
  failures: Map<number, number>
}

const intervalMs = 50

/** The requests of a client within its limits: reads, calculations, and occasional writes. */
const requestsOf = (count: number): { method: 'GET' | 'POST'; path: string; body?: object } => {
  if (count % 40 === 0) return { method: 'POST', path: '/v1/projects', body: { name: `project ${count}` } }
  switch (count % 4) {
    case 1:
      return { method: 'GET', path: '/v1/transfers?limit=20' }
    case 2:
      return {
        method: 'POST',
        path: '/v1/calculate/safe-to-spend',
        body: { end_user_id: 'usr_1', cash_balance: 1000, days_in_period: 30 }
      }
    case 3:
      return { method: 'GET', path: '/v1/webhooks' }
    default:
      return { method: 'GET', path: '/v1/items?user_id=usr_1' }
  }
}

const quantile = (sorted: number[], share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0

/** Sends twenty requests a second for a while. Returns statuses and latencies. */
export const useServer = async (url: string, key: string, seconds: number): Promise<Experience> => {
  const dispatcher = new Agent({ connections: 8 })
  const times: number[] = []
  const failures = new Map<number, number>()
  const send = async (count: number): Promise<void> => {
    const { method, path, body } = requestsOf(count)
    const begun = performance.now()
    const response = await request(`${url}${path}`, {
      method,
      dispatcher,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      body: body === undefined ? null : JSON.stringify(body)
    }).catch(() => undefined)
    await response?.body.dump()
    times.push(performance.now() - begun)
    const status = response?.statusCode ?? 0
    if (status < 200 || status > 299) failures.set(status, (failures.get(status) ?? 0) + 1)
  }
  const sent: Promise<void>[] = []
  const begun = performance.now()
  for (let count = 0; count < (seconds * 1_000) / intervalMs; count++) {
    sent.push(send(count))
    await wait(Math.max(0, begun + (count + 1) * intervalMs - performance.now()))
  }
  await Promise.all(sent)
  await dispatcher.close()
  times.sort((a, b) => a - b)
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), requests: times.length, failures }
}
