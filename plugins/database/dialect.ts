import { createHash } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import { PGliteDialect, PostgresDialect, type Dialect } from 'kysely'
import pg from 'pg'
import { ownLimitMs } from './time-limit.ts'

const int8 = 20
const date = 1082

/** int8 as a number: the money, sequences and counts of this product stay far below 2^53, and one that does not must not be rounded in silence. */
const parseInt8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`The database holds ${text}, which a JavaScript number cannot hold exactly.`)
  return value
}

const statementNames = new Map<string, string>()
const mostStatements = 1000

/** A name for a statement's text, so that PostgreSQL plans it once a connection. Past the bound a text stays unnamed, so that no server's memory grows with dynamic SQL. */
const nameOf = (text: string): string | undefined => {
  const known = statementNames.get(text)
  if (known !== undefined || statementNames.size >= mostStatements) return known
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 40)
  statementNames.set(text, name)
  return name
}

type AnyQuery = (...args: unknown[]) => unknown

/** A client that prepares every statement with parameters under a name, and that closes its connection when a statement takes longer than its limit. */
class PreparingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    const query = this.query.bind(this) as AnyQuery
    const prepare: AnyQuery = (text, values, ...rest) => {
      if (typeof text !== 'string' || (values !== undefined && !Array.isArray(values))) return query(text, values, ...rest)
      const named = values === undefined || values.length === 0 ? {} : { values, name: nameOf(text) }
      return this.#closeWhenLate(query({ text, ...named, query_timeout: ownLimitMs() }, ...rest))
    }
    this.query = prepare as typeof this.query
  }

  /** A statement that was given up still runs, and everything sent after it would wait for its answer. */
  #closeWhenLate(answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer
    return answer.catch((error: unknown) => {
      const { connection } = this as unknown as { connection: pg.Connection }
      if (error instanceof Error && error.message === 'Query read timeout') connection.stream.destroy()
      throw error
    })
  }
}

export interface ConnectionOptions {
  connectionString: string
  statementLimitMs: number
}

const clientConfig = ({ connectionString, statementLimitMs }: ConnectionOptions): pg.ClientConfig => ({
  connectionString,
  connectionTimeoutMillis: Math.min(5_000, statementLimitMs),
  query_timeout: statementLimitMs,
  keepAlive: true
})

/** A connection outside of the pool; not connected yet. */
export const openClient = (options: ConnectionOptions): pg.Client => new PreparingClient(clientConfig(options))

export const openPglite = async (dataDir: string): Promise<PGlite> =>
  await PGlite.create({
    dataDir,
    parsers: { [int8]: parseInt8, [date]: (text: string) => text }
  })

export const embeddedDialect = (pglite: PGlite): Dialect => new PGliteDialect({ pglite })

export const openPool = (options: ConnectionOptions, size: number): pg.Pool => {
  const pool = new pg.Pool({
    ...clientConfig(options),
    max: size,
    Client: PreparingClient,
    idleTimeoutMillis: 30_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === int8 ? parseInt8 : oid === date ? (text: string) => text : (pg.types.getTypeParser(oid, format) as (text: string) => unknown)) as typeof pg.types.getTypeParser
    }
  })
  // The pool listens to idle connections only. One that dies in use fails its statement, which tells the request, and without a listener the process too.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

export const postgresDialect = (pool: pg.Pool): Dialect => new PostgresDialect({ pool })
