import { AsyncLocalStorage } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import type { Server } from 'node:http'
import pg from 'pg'
import { isBegin, isEnd, type RecordedStatement } from './exchange.ts'

/** Work that was in progress together. Outgoing requests have only their address; the receiver records the rest. */
export interface SeenStep {
  statements: RecordedStatement[]
  calls: { path: string }[]
}

type AnyQuery = (this: object, ...args: unknown[]) => unknown

const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as {
  prepareValue: (value: unknown) => Buffer | string | null | undefined
}

const toText = (value: unknown): string | null => {
  const prepared = prepareValue(value)
  if (prepared === null || prepared === undefined) return null
  return typeof prepared === 'string' ? prepared : `\\x${prepared.toString('hex')}`
}

/** The recorded parts of a statement, for every form that pg accepts. */
const statementOf = ([given, values]: unknown[]): RecordedStatement => {
  const statement = typeof given === 'string' ? { text: given, values } : (given as { text?: string; values?: unknown })
  return { text: statement.text ?? '', values: Array.isArray(statement.values) ? statement.values.map(toText) : [] }
}

const requestStarts = ['http.client.request.start', 'undici:request:create']
const requestEnds = [
  'http.client.response.finish',
  'http.client.request.error',
  'undici:request:headers',
  'undici:request:error'
]

/**
 * Records the statements and the outgoing requests of requests to one server of this process, but not those of background jobs. Create it before the first
 * database connection.
 */
export const createRecorder = () => {
  const ours = new AsyncLocalStorage<SeenStep[] | undefined>()
  const calls = new WeakSet<object>()
  let transactions = new WeakMap<object, number>()
  let server: Server | undefined
  let recording: SeenStep[] | undefined
  let begun = 0
  let underWay = 0

  const recordingNow = (): SeenStep[] | undefined =>
    recording !== undefined && ours.getStore() === recording ? recording : undefined

  /** The step of work that begins now: the current one, or a new one. */
  const stepNow = (steps: SeenStep[]): SeenStep => {
    const last = steps.at(-1)
    if (underWay > 0 && last !== undefined) return last
    const next = { statements: [], calls: [] }
    steps.push(next)
    return next
  }

  const note = (steps: SeenStep[], client: object, statement: RecordedStatement): void => {
    if (isBegin(statement)) transactions.set(client, ++begun)
    const transaction = transactions.get(client)
    if (isEnd(statement)) transactions.delete(client)
    stepNow(steps).statements.push({ ...statement, ...(transaction === undefined ? {} : { transaction }) })
  }

  const prototype = pg.Client.prototype as unknown as { query: AnyQuery }
  const { query } = prototype
  const recordingQuery: AnyQuery = function (...args) {
    const steps = recordingNow()
    if (steps === undefined) return query.apply(this, args)
    note(steps, this, statementOf(args))
    const callback = args.at(-1)
    underWay++
    if (typeof callback !== 'function') {
      const result = query.apply(this, args) as Promise<unknown>
      void result.then(
        () => underWay--,
        () => underWay--
      )
      return result
    }
    return query.apply(this, [
      ...args.slice(0, -1),
      (...answer: unknown[]) => {
        underWay--
        ;(callback as (...answer: unknown[]) => void)(...answer)
      }
    ])
  }
  const noteCall = (message: unknown): void => {
    const steps = recordingNow()
    if (steps === undefined) return
    const { request } = message as { request: { path: string } }
    stepNow(steps).calls.push({ path: request.path })
    calls.add(request)
    underWay++
  }
  const noteAnswer = (message: unknown): void => {
    if (calls.delete((message as { request: object }).request)) underWay--
  }
  const enter = (message: unknown): void =>
    ours.enterWith((message as { server: Server }).server === server ? recording : undefined)

  const listeners: [string[], (message: unknown) => void][] = [
    [['http.server.request.start'], enter],
    [requestStarts, noteCall],
    [requestEnds, noteAnswer]
  ]

  return {
    start(of: Server) {
      server = of
      recording = []
      transactions = new WeakMap()
      begun = 0
      underWay = 0
      prototype.query = recordingQuery
      for (const [channels, listener] of listeners)
        for (const channel of channels) diagnostics.subscribe(channel, listener)
    },
    /** Removes every hook, so that the recorder does not affect later measurements. */
    stop() {
      const recorded = recording
      recording = undefined
      prototype.query = query
      for (const [channels, listener] of listeners)
        for (const channel of channels) diagnostics.unsubscribe(channel, listener)
      ours.disable()
      return recorded
    }
  }
}
