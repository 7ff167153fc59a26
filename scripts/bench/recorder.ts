import { AsyncLocalStorage } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import type { Server } from 'node:http'
import pg from 'pg'
import type { Exchange } from './exchange.ts'

type Recorded = Pick<Exchange, 'steps' | 'outbound'>

type AnyQuery = (this: object, ...args: unknown[]) => unknown

const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as { prepareValue: (value: unknown) => Buffer | string | null | undefined }

const toText = (value: unknown): string | null => {
  const prepared = prepareValue(value)
  if (prepared === null || prepared === undefined) return null
  return typeof prepared === 'string' ? prepared : `\\x${prepared.toString('hex')}`
}

/** What is read of a statement, however pg is given it. */
const statementOf = ([given, values]: unknown[]): { text: string; values: unknown[] } => {
  const statement = typeof given === 'string' ? { text: given, values } : (given as { text?: string; values?: unknown })
  return { text: statement.text ?? '', values: Array.isArray(statement.values) ? (statement.values as unknown[]) : [] }
}

/**
 * Sees the statements and the outgoing requests of the requests to one server of this process, and of nothing else that the process does: neither of its
 * periodic work nor of the simulators. To be made before anything connects to the database.
 */
export const createRecorder = () => {
  const ours = new AsyncLocalStorage<Recorded | undefined>()
  const inTransaction = new WeakSet<object>()
  let server: Server | undefined
  let recording: Recorded | undefined
  let underWay = 0

  const note = (client: object, text: string, values: unknown[]): void => {
    if (/^(begin|commit|rollback)$/.test(text)) {
      if (text === 'begin') inTransaction.add(client)
      else inTransaction.delete(client)
      return
    }
    const recorded = ours.getStore()
    if (recorded === undefined) return
    const statement = { text, values: values.map(toText) }
    const last = recorded.steps.at(-1)
    if (underWay > 0 && last !== undefined && last.inTransaction === inTransaction.has(client)) last.statements.push(statement)
    else recorded.steps.push({ statements: [statement], inTransaction: inTransaction.has(client) })
  }

  const isOurs = (): boolean => recording !== undefined && ours.getStore() === recording

  const prototype = pg.Client.prototype as unknown as { query: AnyQuery }
  const { query } = prototype
  const recordingQuery: AnyQuery = function (...args) {
    const { text, values } = statementOf(args)
    note(this, text, values)
    if (!isOurs()) return query.apply(this, args)
    const callback = args.at(-1)
    underWay++
    if (typeof callback !== 'function') {
      const result = query.apply(this, args) as Promise<unknown>
      void result.then(() => underWay--, () => underWay--)
      return result
    }
    return query.apply(this, [...args.slice(0, -1), (...answer: unknown[]) => {
      underWay--
      ;(callback as (...answer: unknown[]) => void)(...answer)
    }])
  }
  const count = (): void => {
    const recorded = ours.getStore()
    if (recorded !== undefined) recorded.outbound++
  }
  const enter = (message: unknown): void => ours.enterWith((message as { server: Server }).server === server ? recording : undefined)

  return {
    start(of: Server) {
      server = of
      recording = { steps: [], outbound: 0 }
      underWay = 0
      prototype.query = recordingQuery
      diagnostics.subscribe('http.server.request.start', enter)
      diagnostics.subscribe('http.client.request.start', count)
      diagnostics.subscribe('undici:request:create', count)
    },
    /** Leaves no trace: what is measured afterwards runs as if nobody had ever looked. */
    stop() {
      const recorded = recording
      recording = undefined
      prototype.query = query
      diagnostics.unsubscribe('http.server.request.start', enter)
      diagnostics.unsubscribe('http.client.request.start', count)
      diagnostics.unsubscribe('undici:request:create', count)
      ours.disable()
      return recorded
    }
  }
}
