import { setTimeout as wait } from 'node:timers/promises'
import { Configuration, PlaidApi } from 'plaid'
import type { Environment } from '../access/caller.ts'
import { assertNoTransaction } from '../database/transaction.ts'
import { defineProblem } from '../http/errors/problem.ts'
import type { UpstreamOutcome } from '../metrics/index.ts'
import { readFault } from './failure.ts'
import { createUndiciAdapter } from './transport.ts'

const callTimeoutMs = 10_000
const firstDelayMs = 100
const longestDelayMs = 2_000

export interface PlaidClientOptions {
  baseUrl: string
  clientId: string
  secret: string
  /** Called after each attempt with its outcome and its duration in seconds. */
  observe?: (outcome: UpstreamOutcome, seconds: number) => void
  /** How long an attempt may take until the whole response has arrived. */
  timeoutMs?: number
  sleep?: (ms: number) => Promise<unknown>
  /** Returns a number in [0, 1); spreads the retries of many callers. */
  random?: () => number
}

export interface CallOptions {
  /**
   * Whether repeating the call has no further effect: it reads, or Plaid recognises it by a key. The client retries other calls
   * only when Plaid has certainly not begun them, such as after a rate limit.
   */
  repeatable: boolean
  /** The largest number of attempts. */
  attempts?: number
}

export interface PlaidClient {
  /**
   * Calls Plaid, outside of any transaction: `client.call((api) => api.itemGet({ access_token }), { repeatable: true })`.
   *
   * @throws PlaidFailure when Plaid responds with an error of the request or of the item.
   * @throws ProblemError 502 `upstream_unavailable` when Plaid does not respond or is too busy, after all attempts.
   */
  call<Answer>(ask: (api: PlaidApi) => Promise<{ data: Answer }>, options: CallOptions): Promise<Answer>
}

const plaidNotConfigured = defineProblem({
  status: 503,
  code: 'plaid_not_configured',
  meaning: 'This server has no Plaid for the environment of this credential.',
  cure: 'For live credentials, the operator sets PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV=production. For test credentials, the operator sets ATLAS_SIMULATORS=true to simulate banks, and runs `npm run migrate`.'
})

const whatToDo: Record<Environment, string> = {
  live: 'Set PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV=production to reach real banks.',
  test: 'Set ATLAS_SIMULATORS=true and run `npm run migrate` to simulate banks.'
}

/** The client of an environment that has no Plaid: every call rejects with 503 `plaid_not_configured`. */
export const createAbsentPlaidClient = (environment: Environment): PlaidClient => ({
  call: () =>
    Promise.reject(
      plaidNotConfigured(`This server has no Plaid for ${environment} credentials. ${whatToDo[environment]}`)
    )
})

/** Full jitter: a random delay up to an exponentially growing bound. */
const delayMs = (attempt: number, random: () => number): number =>
  Math.round(Math.min(longestDelayMs, firstDelayMs * 2 ** attempt) * random())

/** Plaid's SDK with timeouts and bounded retries. Its errors never contain a credential. */
export const createPlaidClient = ({
  baseUrl,
  clientId,
  secret,
  observe = () => undefined,
  timeoutMs = callTimeoutMs,
  sleep = wait,
  random = Math.random
}: PlaidClientOptions): PlaidClient => {
  const headers = { 'PLAID-CLIENT-ID': clientId, 'PLAID-SECRET': secret }
  const api = new PlaidApi(
    new Configuration({ basePath: baseUrl, baseOptions: { headers, adapter: createUndiciAdapter(timeoutMs) } })
  )
  return {
    async call(ask, { repeatable, attempts = 3 }) {
      assertNoTransaction()
      for (let attempt = 1; ; attempt++) {
        const startedAt = performance.now()
        const report = (outcome: UpstreamOutcome): void => observe(outcome, (performance.now() - startedAt) / 1000)
        try {
          const { data } = await ask(api)
          report('ok')
          return data
        } catch (error) {
          const fault = readFault(error)
          report(fault.kind === 'refused' ? 'refused' : 'failed')
          const canRetry = fault.kind === 'busy' || (fault.kind === 'unknown' && repeatable)
          if (!canRetry || attempt >= attempts) throw fault.error
          await sleep(delayMs(attempt, random))
        }
      }
    }
  }
}
