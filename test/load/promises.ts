import type { SeededRandom } from '../../scripts/seeded-random.ts'
import { send, type Answered } from '../credentials.ts'
import type { Tenant } from './tenant.ts'

export type PromiseKind = 'spend' | 'report' | 'transfer'

/** One logical operation. Whatever happens to its requests, it is done once or not at all, and the client can find out which. */
export interface KeptPromise {
  /** Its idempotency key, which is also stored with its effect, so that the test can find the effect. */
  key: string
  kind: PromiseKind
  credential: string
  path: string
  body: Record<string, unknown>
  agentId?: string
  /** How often it was sent. */
  tries: number
  /** The final response: a success, or a rejection without an effect. */
  settled?: { status: number; text: string }
}

/** Statuses that leave the outcome unknown, so that the client retries with the same key. */
const unsettled = (status: number): boolean => status >= 500 || status === 409 || status === 429

const responseTimeoutMs = 60_000

export interface Promises {
  /** Prefix of every key, which sets them apart from other effects. */
  prefix: string
  all: KeptPromise[]
  /** The number of responses by status; `none` counts requests without a response. */
  statuses: Map<string, number>
  /** Sends operations from concurrent clients until `stop` is called or `most` have begun. `done` resolves when all have ended. */
  load(
    urls: string[],
    options: { clients: number; most: number; kinds?: PromiseKind[] }
  ): { stop(): void; done: Promise<void> }
  /** Creates an operation without sending it. */
  make(kind: PromiseKind): KeptPromise
  /** Sends an operation once and records its response. */
  send(url: string, promise: KeptPromise): Promise<Answered | undefined>
  /** Retries every unsettled operation until it is settled. */
  settle(urls: string[]): Promise<void>
}

const bodyOf = (
  kind: PromiseKind,
  key: string,
  tenant: Tenant,
  agentId: string,
  random: SeededRandom
): Record<string, unknown> => {
  switch (kind) {
    case 'spend':
      return { amount: random.integer(1, 500) / 100, description: key }
    case 'report':
      return {
        agent_id: agentId,
        reporter_name: key,
        reporter_platform: 'load',
        report_type: random.pick(['payment_ontime', 'payment_late', 'account_opened', 'dispute'])
      }
    case 'transfer':
      return { from_account_id: tenant.checking, to_account_id: tenant.savings, amount: 0.01, memo: key }
  }
}

const paths = { spend: '/api/spend', report: '/v2/api/report', transfer: '/v1/transfers' } as const

/** Creates operations under load and records the promised outcome of each. */
export const createPromises = (tenant: Tenant, random: SeededRandom): Promises => {
  const prefix = `promise-${random.code(6)}-`
  const all: KeptPromise[] = []
  const statuses = new Map<string, number>()
  const count = (status: string) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const make = (kind: PromiseKind): KeptPromise => {
    const key = `${prefix}${all.length}`
    const agent = random.pick(tenant.agents)
    const promise: KeptPromise = {
      key,
      kind,
      path: paths[kind],
      credential: { spend: agent.key, report: tenant.furnisherKey, transfer: tenant.key }[kind],
      body: bodyOf(kind, key, tenant, agent.agentId, random),
      agentId: agent.agentId,
      tries: 0
    }
    all.push(promise)
    return promise
  }
  const sendOne: Promises['send'] = async (url, promise) => {
    promise.tries += 1
    const { credential: key, body } = promise
    const request = send(url, 'POST', promise.path, {
      key,
      body,
      headers: { 'idempotency-key': promise.key },
      signal: AbortSignal.timeout(responseTimeoutMs)
    })
    const response = await request.catch(() => undefined)
    count(response === undefined ? 'none' : String(response.status))
    if (response !== undefined && !unsettled(response.status))
      promise.settled = { status: response.status, text: response.text }
    return response
  }
  return {
    prefix,
    all,
    statuses,
    make,
    send: sendOne,
    load(urls, { clients, most, kinds = ['spend', 'spend', 'spend', 'report', 'report', 'transfer'] }) {
      let begun = 0
      let stopped = false
      const client = async () => {
        while (!stopped && begun++ < most) {
          const response = await sendOne(random.pick(urls), make(random.pick(kinds)))
          // A real client would also wait a little after a failure.
          if (response === undefined || response.status >= 500) await new Promise((done) => setTimeout(done, 20))
        }
      }
      return {
        stop: () => void (stopped = true),
        done: Promise.all(Array.from({ length: clients }, client)).then(() => undefined)
      }
    },
    async settle(urls) {
      const open = all.filter(({ settled }) => settled === undefined)
      const worker = async () => {
        for (let promise = open.shift(); promise !== undefined; promise = open.shift()) {
          for (let tries = 0; promise.settled === undefined; tries++) {
            if (tries > 60) throw new Error(`The outcome of ${promise.kind} ${promise.key} could not be determined.`)
            const response = await sendOne(random.pick(urls), promise)
            if (promise.settled === undefined)
              await new Promise((done) => setTimeout(done, response?.status === 409 ? 100 : 500))
          }
        }
      }
      await Promise.all(Array.from({ length: 4 }, worker))
    }
  }
}
