import { setTimeout as wait } from 'node:timers/promises'
import { internalServerError, itemLoginRequired, mutationDuringPagination, rateLimited } from './errors.ts'

/**
 * The ways in which a call can go wrong. `drop` loses the question: nothing is processed. `drop_after` loses
 * the answer: everything is processed, then the connection is cut. `error_after` processes everything and
 * answers 500, which Plaid's reference warns of for transfers.
 */
export const faultKinds = [
  'ITEM_LOGIN_REQUIRED',
  'RATE_LIMIT_EXCEEDED',
  'INTERNAL_SERVER_ERROR',
  'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
  'slow',
  'drop',
  'drop_after',
  'error_after'
] as const

export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  kind: FaultKind
  delayMs: number
}

const defaultDelayMs = 1_000
const mostPlanned = 10_000

/** What is to go wrong next, in the order in which it was asked for, path by path. In memory: one instance's faults are its own. */
export class Faults {
  readonly #planned = new Map<string, Fault[]>()

  /** Makes the next `times` calls of `path` (or of any path: `*`) fail in this way. `delayMs` belongs to `slow`. */
  next(path: string, kind: FaultKind, times = 1, delayMs = defaultDelayMs): void {
    const queue = this.#planned.get(path) ?? []
    for (let i = 0; i < times && queue.length < mostPlanned; i++) queue.push({ kind, delayMs })
    this.#planned.set(path, queue)
  }

  clear(): void {
    this.#planned.clear()
  }

  /** Takes the fault that this call has to suffer; those planned for the very path come first. */
  take(path: string): Fault | undefined {
    return this.#planned.get(path)?.shift() ?? this.#planned.get('*')?.shift()
  }
}

const rateLimitCodes: Readonly<Record<string, string>> = {
  '/accounts/get': 'ACCOUNTS_LIMIT',
  '/accounts/balance/get': 'BALANCE_LIMIT',
  '/institutions/get_by_id': 'INSTITUTIONS_GET_BY_ID_LIMIT',
  '/item/get': 'ITEM_GET_LIMIT',
  '/transactions/sync': 'TRANSACTIONS_SYNC_LIMIT'
}

/**
 * Suffers what happens before a call is processed: an error is thrown, slowness is waited for.
 *
 * @returns true when the connection is to be cut with nothing processed
 */
export const sufferBefore = async (fault: Fault, path: string): Promise<boolean> => {
  switch (fault.kind) {
    case 'ITEM_LOGIN_REQUIRED':
      throw itemLoginRequired()
    case 'RATE_LIMIT_EXCEEDED':
      throw rateLimited(rateLimitCodes[path] ?? 'RATE_LIMIT')
    case 'INTERNAL_SERVER_ERROR':
      throw internalServerError()
    case 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION':
      throw mutationDuringPagination()
    // Real time, not the clock: slowness is for testing the caller's real timeout.
    case 'slow':
      await wait(fault.delayMs)
      return false
    case 'drop':
      return true
    case 'drop_after':
    case 'error_after':
      return false
  }
}
