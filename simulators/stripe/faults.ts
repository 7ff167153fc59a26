import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { StripeApiError } from './errors.ts'
import type { Params } from './params.ts'

/** A fault of matching API requests. */
export interface RequestFault {
  /**
   * `error`: 500 without an effect. `slow`: the response waits `delayMs`. `drop`: the connection is cut without an
   * effect. `drop_after`: the effect is committed, then the connection is cut.
   */
  kind: 'error' | 'slow' | 'drop' | 'drop_after'
  /** The method to match; any when absent. */
  method?: string
  /** The prefix of the URL to match; any when absent. */
  path?: string
  /** How many requests fail; 1 when absent. */
  times?: number
  /** For `slow`: milliseconds of real time, at most 60,000. */
  delayMs?: number
}

/** Faults to inject. The simulator reads the object at each use, so a test may change it at any time. */
export interface StripeFaults {
  /** Deliveries of every event beyond the first (0 to 5). */
  duplicates?: number
  /** Sends those copies concurrently instead of one after the other. */
  duplicatesAtOnce?: boolean
  /** The delay of a new event's first delivery, by the injected clock. */
  delayMs?: number
  /** Holds new events until POST /simulator/events/release. */
  hold?: boolean
  /** Sends the newest due event first. */
  reorder?: boolean
  /** Faults of the next API requests; each is removed after `times` requests. */
  requests?: RequestFault[]
}

const maxDuplicates = 5
const maxDelayMs = 60_000

/** How many copies of each event are sent. */
export const copiesOf = (faults: StripeFaults): number =>
  1 + Math.max(0, Math.min(maxDuplicates, Math.trunc(faults.duplicates ?? 0)))

/** Reads the faults of a control request; an empty request has none. */
export const readFaults = (params: Params): StripeFaults => {
  const faults: StripeFaults = {
    duplicates: params.integer('duplicates', { min: 0, max: maxDuplicates }),
    duplicatesAtOnce: params.boolean('duplicatesAtOnce'),
    delayMs: params.integer('delayMs', { min: 0, max: 7 * 86_400_000 }),
    hold: params.boolean('hold'),
    reorder: params.boolean('reorder'),
    requests: params.list('requests').map((request) => ({
      kind: request.choice('kind', ['error', 'slow', 'drop', 'drop_after']) ?? request.missing('kind'),
      method: request.string('method', 10),
      path: request.string('path', 500),
      times: request.integer('times', { min: 1, max: 1000 }),
      delayMs: request.integer('delayMs', { min: 0, max: maxDelayMs })
    }))
  }
  params.done()
  return faults
}

/** Replaces the contents of `faults`, whose object other parts hold a reference to. */
export const replaceFaults = (faults: StripeFaults, next: StripeFaults): void => {
  for (const key of Object.keys(faults)) delete faults[key as keyof StripeFaults]
  Object.assign(faults, next)
}

/** Returns the first fault that matches this request, and counts it down. */
export const takeRequestFault = (faults: StripeFaults, method: string, path: string): RequestFault | undefined => {
  const queue = faults.requests ?? []
  const found = queue.findIndex((fault) => (fault.method ?? method) === method && path.startsWith(fault.path ?? ''))
  const fault = queue[found]
  if (fault === undefined) return undefined
  const left = (fault.times ?? 1) - 1
  if (left > 0) queue[found] = { ...fault, times: left }
  else queue.splice(found, 1)
  return fault
}

/** Applies the part of a fault that precedes the effect. */
export const applyBefore = async (fault: RequestFault, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
  if (fault.kind === 'slow') await wait(Math.min(maxDelayMs, fault.delayMs ?? 1000))
  if (fault.kind === 'error') {
    throw new StripeApiError(500, {
      type: 'api_error',
      message: 'An unknown error occurred (injected by the simulator).'
    })
  }
  if (fault.kind === 'drop') {
    reply.hijack()
    request.raw.socket.destroy()
  }
}
