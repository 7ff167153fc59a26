import diagnostics from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import pg from 'pg'
import type { Exchange } from './exchange.ts'

type AnyQuery = (this: unknown, ...args: unknown[]) => unknown

const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as { prepareValue: (value: unknown) => Buffer | string | null | undefined }

const toText = (value: unknown): string | null => {
  const prepared = prepareValue(value)
  if (prepared === null || prepared === undefined) return null
  return typeof prepared === 'string' ? prepared : `\\x${prepared.toString('hex')}`
}

/** Sees the statements and the outgoing requests of this process. To be made before anything connects to the database. */
export const createRecorder = () => {
  let recorded: Pick<Exchange, 'steps' | 'outbound'> | undefined
  let underWay = 0
  let inTransaction = false

  const note = (text: string, values: unknown[]): void => {
    if (recorded === undefined) return
    if (/^(begin|commit|rollback)$/.test(text)) {
      inTransaction = text === 'begin'
      return
    }
    const statement = { text, values: values.map(toText) }
    const last = recorded.steps.at(-1)
    if (underWay > 0 && last !== undefined && last.inTransaction === inTransaction) last.statements.push(statement)
    else recorded.steps.push({ statements: [statement], inTransaction })
  }

  const prototype = pg.Client.prototype as unknown as { query: AnyQuery }
  const { query } = prototype
  prototype.query = function (this: unknown, ...args: unknown[]) {
    const [given, values] = args as [string | { text?: string; values?: unknown[] }, unknown[] | undefined]
    note(typeof given === 'string' ? given : (given.text ?? ''), (typeof given === 'string' ? values : given.values) ?? [])
    const result = query.apply(this, args)
    if (result instanceof Promise) {
      underWay++
      void result.then(() => underWay--, () => underWay--)
    }
    return result
  }
  const count = (): void => {
    if (recorded !== undefined) recorded.outbound++
  }
  diagnostics.subscribe('http.client.request.start', count)
  diagnostics.subscribe('undici:request:create', count)

  return {
    start: () => {
      recorded = { steps: [], outbound: 0 }
    },
    stop: () => {
      const result = recorded
      recorded = undefined
      return result
    }
  }
}
