import { setTimeout as wait } from 'node:timers/promises'
import { internalServerError, itemLoginRequired, mutationDuringPagination, rateLimited } from './errors.ts'

/**
 * The faults of a call. `drop` cuts the connection without an effect. `drop_after` commits the effect, then cuts the
 * connection. `error_after` commits the effect and returns 500, which Plaid's reference warns of for transfers.
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

/** The planned faults of each path, in order. They are kept in memory, so each instance has its own. */
export class Faults {
  readonly #planned = new Map<string, Fault[]>()

  /** Plans a fault for the next `times` calls of `path`, or of any path with `*`. `delayMs` is for `slow`. */
  next(path: string, kind: FaultKind, times = 1, delayMs = defaultDelayMs): void {
    const queue = this.#planned.get(path) ?? []
    for (let i = 0; i < times && queue.length < mostPlanned; i++) queue.push({ kind, delayMs })
    this.#planned.set(path, queue)
  }

  clear(): void {
    this.#planned.clear()
  }

  /** Removes and returns the fault of this call. Faults of the exact path come before those of `*`. */
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
 * Applies the part of a fault that precedes the effect.
 *
 * @returns true when the connection must be cut without an effect
 * @throws PlaidApiError of the fault
 */
export const applyBefore = async (fault: Fault, path: string): Promise<boolean> => {
  switch (fault.kind) {
    case 'ITEM_LOGIN_REQUIRED':
      throw itemLoginRequired()
    case 'RATE_LIMIT_EXCEEDED':
      throw rateLimited(rateLimitCodes[path] ?? 'RATE_LIMIT')
    case 'INTERNAL_SERVER_ERROR':
      throw internalServerError()
    case 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION':
      throw mutationDuringPagination()
    // Real time instead of the injected clock, to test the caller's timeout.
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
