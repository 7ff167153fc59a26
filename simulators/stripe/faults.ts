import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { StripeApiError } from './errors.ts'
import type { Params } from './params.ts'

/** What goes wrong with API requests that match. */
export interface RequestFault {
  /**
   * `error`: 500 before anything happened. `slow`: the answer waits `delayMs`. `drop`: the connection is cut before
   * anything happened. `drop_after`: the effect is done and saved, then the connection is cut.
   */
  kind: 'error' | 'slow' | 'drop' | 'drop_after'
  /** Only this method; any when absent. */
  method?: string
  /** Only URLs that begin so; any when absent. */
  path?: string
  /** How many requests are hit; 1 when absent. */
  times?: number
  /** For `slow`: milliseconds of real time, at most a minute. */
  delayMs?: number
}

/** Misbehaviour to order. The object is read at each use, so that a test may change it at any time. */
export interface StripeFaults {
  /** Deliveries of every event beyond the first (0 to 5). */
  duplicates?: number
  /** Sends those copies at the same moment instead of one after the other. */
  duplicatesAtOnce?: boolean
  /** New events wait this long (by the clock) before their first delivery. */
  delayMs?: number
  /** New events are kept until they are released by POST /simulator/events/release. */
  hold?: boolean
  /** Of the events that are due, the newest goes first. */
  reorder?: boolean
  /** Faults of the API's next requests; each is used up after `times`. */
  requests?: RequestFault[]
}

const maxDuplicates = 5
const maxDelayMs = 60_000

/** How often each event is sent: 1 unless duplicates are ordered. */
export const copiesOf = (faults: StripeFaults): number =>
  1 + Math.max(0, Math.min(maxDuplicates, Math.trunc(faults.duplicates ?? 0)))

/** Replaces all faults by those in a control request; an empty request heals everything. */
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

/** Puts `next` in place of what `faults` holds, keeping the object that others hold a reference to. */
export const replaceFaults = (faults: StripeFaults, next: StripeFaults): void => {
  for (const key of Object.keys(faults)) delete faults[key as keyof StripeFaults]
  Object.assign(faults, next)
}

/** Takes the first fault that matches this request, and counts it down. */
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

/** Plays the part of a fault that comes before the effect. */
export const sufferBefore = async (
  fault: RequestFault,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<void> => {
  if (fault.kind === 'slow') await wait(Math.min(maxDelayMs, fault.delayMs ?? 1000))
  if (fault.kind === 'error') {
    throw new StripeApiError(500, {
      type: 'api_error',
      message: 'An unknown error occurred (ordered from the simulator).'
    })
  }
  if (fault.kind === 'drop') {
    reply.hijack()
    request.raw.socket.destroy()
  }
}
