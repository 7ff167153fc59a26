import { createHash } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import { PGliteDialect, type Dialect } from 'kysely'
import pg from 'pg'
import { startParams } from './embedded-memory.ts'
import { endWithClient, planByIndex } from './settings.ts'
import { ownLimitMs } from './time-limit.ts'

const int8 = 20
const date = 1082
const timestamptz = 1184

/** int8 as a number: the money, sequences and counts of this product stay far below 2^53, and one that does not must not be rounded in silence. */
const parseInt8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value))
    throw new RangeError(`The database holds ${text}, which a JavaScript number cannot hold exactly.`)
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

type AnyQuery = (this: unknown, ...args: unknown[]) => unknown

/** A statement as pg takes it besides, with members that it reads and does not declare. */
interface Query extends pg.Query {
  name: string | undefined
  query_timeout: number | undefined
}

/** A client that prepares every statement with parameters under a name. */
class PreparingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    const query = (...args: unknown[]) => (pg.Client.prototype.query as AnyQuery).apply(this, args)
    const prepare = (text: unknown, values?: unknown, ...rest: unknown[]) => {
      if (typeof text !== 'string' || (values !== undefined && !Array.isArray(values)) || rest.length > 0)
        return query(text, values, ...rest)
      // Given a statement and not its description, pg makes no copy of it.
      const statement = new pg.Query(text, values) as Query
      if (values !== undefined && values.length > 0) statement.name = nameOf(text)
      statement.query_timeout = ownLimitMs()
      return new Promise((done, failed) => {
        query(statement, (error: Error | null, result: unknown) =>
          error === null || error === undefined ? done(result) : failed(error)
        )
      })
    }
    this.query = prepare as typeof this.query
  }
}

/** PGlite leaves moments to JavaScript's `Date`, which takes the year 1 for 2001; pg reads them as PostgreSQL writes them. */
const parseTimestamp = pg.types.getTypeParser(timestamptz, 'text') as (text: string) => unknown

export const openPglite = async (dataDir: string): Promise<PGlite> => {
  const pglite = await PGlite.create({
    dataDir,
    startParams,
    parsers: { [int8]: parseInt8, [date]: (text: string) => text, [timestamptz]: parseTimestamp }
  })
  await pglite.exec(planByIndex)
  return pglite
}

export const embeddedDialect = (pglite: PGlite): Dialect => new PGliteDialect({ pglite })

const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === int8
    ? parseInt8
    : oid === date
      ? (text: string) => text
      : (pg.types.getTypeParser(oid, format) as (text: string) => unknown)) as typeof pg.types.getTypeParser

export interface ConnectionOptions {
  connectionString: string
  /** How long a statement may take. One that takes longer fails, and its connection is closed: everything sent after it would wait for its answer. */
  statementLimitMs: number
}

const connection = ({ connectionString, statementLimitMs }: ConnectionOptions): pg.ClientConfig => ({
  connectionString,
  connectionTimeoutMillis: Math.min(5_000, statementLimitMs),
  query_timeout: statementLimitMs,
  pipeline: true,
  keepAlive: true,
  types: { getTypeParser }
})

/** Sent before anything else, and nothing waits for the answers. */
const settle = (client: pg.ClientBase): void => {
  for (const setting of [planByIndex, endWithClient]) client.query(setting).catch(() => undefined)
}

export const openPool = (options: ConnectionOptions, size: number): pg.Pool => {
  const pool = new pg.Pool({ ...connection(options), max: size, Client: PreparingClient, idleTimeoutMillis: 30_000 })
  // The pool listens to idle connections only. One that dies in use fails its statement, which tells the request, and without a listener the process too.
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
    settle(client)
  })
  return pool
}

/** Opens one connection that sends statements without waiting for the answers of those before. */
export const openClient = async (options: ConnectionOptions, onError: (error: Error) => void): Promise<pg.Client> => {
  const client = new PreparingClient(connection(options))
  client.on('error', onError)
  await client.connect()
  settle(client)
  return client
}
