import { setTimeout as wait } from 'node:timers/promises'
import { Configuration, PlaidApi } from 'plaid'
import { assertNoTransaction } from '../database/transaction.ts'
import { defineProblem } from '../http/errors/problem.ts'
import type { UpstreamOutcome } from '../metrics/index.ts'
import { readFault } from './failure.ts'
import { byUndici } from './transport.ts'

const callTimeoutMs = 10_000
const firstDelayMs = 100
const longestDelayMs = 2_000

export interface PlaidClientOptions {
  /** Plaid's host, or the simulator's address; asked at every call. */
  basePath: () => string
  clientId: string
  secret: string
  /** Told of each attempt: how it ended and how long it took. */
  observe?: (outcome: UpstreamOutcome, seconds: number) => void
  /** How long an attempt may take until its answer is there to its end. */
  timeoutMs?: number
  sleep?: (ms: number) => Promise<unknown>
  /** From 0 up to 1; spreads the retries of many callers. */
  random?: () => number
}

export interface CallOptions {
  /**
   * Doing the call twice is the same as doing it once: it reads, or Plaid knows it again by a key. Only such a call is repeated when its outcome is
   * not known; one that Plaid was too busy for is repeated in any case.
   */
  repeatable: boolean
  /** How often it is tried at most. */
  attempts?: number
}

export interface PlaidClient {
  /**
   * Calls Plaid, outside of any transaction: `client.call((api) => api.itemGet({ access_token }), { repeatable: true })`.
   * @throws PlaidFailure when Plaid answers with an error of the request or of the item.
   * @throws ProblemError 502 `upstream_unavailable` when Plaid does not answer, or is too busy, also when it is asked again.
   */
  call<Answer>(ask: (api: PlaidApi) => Promise<{ data: Answer }>, options: CallOptions): Promise<Answer>
}

export const plaidNotConfigured = defineProblem({
  status: 503,
  code: 'plaid_not_configured',
  meaning: 'A live credential asked for real banks, and this server has no keys of Plaid’s.',
  cure: 'The operator sets PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV=production. Test credentials work without them, with simulated banks.'
})

/** Stands where there is no Plaid to ask. */
export const absentPlaidClient: PlaidClient = {
  call: () =>
    Promise.reject(plaidNotConfigured('This server has no keys of Plaid’s, so that live credentials reach no bank.'))
}

/** Full jitter: anywhere up to an exponentially growing bound. */
const delayMs = (attempt: number, random: () => number): number =>
  Math.round(Math.min(longestDelayMs, firstDelayMs * 2 ** attempt) * random())

/** Plaid's own client with timeouts and bounded retries. Nothing that it throws carries a credential. */
export const createPlaidClient = ({
  basePath,
  clientId,
  secret,
  observe = () => undefined,
  timeoutMs = callTimeoutMs,
  sleep = wait,
  random = Math.random
}: PlaidClientOptions): PlaidClient => {
  const apiAt = (address: string): PlaidApi =>
    new PlaidApi(
      new Configuration({
        basePath: address,
        baseOptions: { headers: { 'PLAID-CLIENT-ID': clientId, 'PLAID-SECRET': secret }, adapter: byUndici(timeoutMs) }
      })
    )
  let current: { address: string; api: PlaidApi } | undefined
  const api = (): PlaidApi => {
    const address = basePath()
    if (current?.address !== address) current = { address, api: apiAt(address) }
    return current.api
  }
  return {
    async call(ask, { repeatable, attempts = 3 }) {
      assertNoTransaction()
      for (let attempt = 1; ; attempt++) {
        const startedAt = performance.now()
        const tell = (outcome: UpstreamOutcome): void => observe(outcome, (performance.now() - startedAt) / 1000)
        try {
          const { data } = await ask(api())
          tell('ok')
          return data
        } catch (error) {
          const fault = readFault(error)
          tell(fault.kind === 'refused' ? 'refused' : 'failed')
          const again = fault.kind === 'busy' || (fault.kind === 'unknown' && repeatable)
          if (!again || attempt >= attempts) throw fault.error
          await sleep(delayMs(attempt, random))
        }
      }
    }
  }
}
