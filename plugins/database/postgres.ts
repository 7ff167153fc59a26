import { Socket } from 'node:net'
import pg from 'pg'
import type { Engine } from './engine.ts'
import { endWithClient, planOnce } from './settings.ts'
import { openSharedClients, type SharedClients } from './shared-clients.ts'
import { query, sendTo } from './statements.ts'
import { parseDate, parseInt8, typeIds } from './values.ts'

export interface ConnectionOptions {
  connectionString: string
  /** The time limit of a statement in milliseconds. A slower statement fails and closes its connection, because the statements after it would wait too. */
  statementLimitMs: number
  /** How long to wait for a connection of the pool or for a new one, in milliseconds. */
  connectLimitMs: number
}

const getTypeParser = ((oid: number, format?: 'text' | 'binary') => {
  if (oid === typeIds.int8) return parseInt8
  if (oid === typeIds.date) return parseDate
  return pg.types.getTypeParser(oid, format) as (text: string) => unknown
}) as typeof pg.types.getTypeParser

const clientConfig = ({ connectionString, statementLimitMs, connectLimitMs }: ConnectionOptions): pg.ClientConfig => ({
  connectionString,
  connectionTimeoutMillis: connectLimitMs,
  query_timeout: statementLimitMs,
  pipeline: true,
  keepAlive: true,
  types: { getTypeParser }
})

/** Sends the session settings first, pipelined. */
const applySettings = (client: pg.ClientBase): void => {
  for (const setting of [planOnce, endWithClient]) client.query(setting).catch(() => undefined)
}

export const openPool = (options: ConnectionOptions, size: number): pg.Pool => {
  const pool = new pg.Pool({ ...clientConfig(options), max: size, idleTimeoutMillis: 30_000 })
  // The pool handles errors of idle connections only. Without a listener, a connection that breaks in use would end the process.
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
    applySettings(client)
  })
  return pool
}

/** Opens one connection outside the pool. */
export const openClient = async (
  options: ConnectionOptions,
  onError: (error: Error) => void,
  socket = new Socket()
): Promise<pg.Client> => {
  const client = new pg.Client({ ...clientConfig(options), stream: () => socket })
  client.on('error', onError)
  await client.connect()
  applySettings(client)
  return client
}

/** Single statements share a few pipelined connections; each transaction takes a connection of the pool. */
export const createPostgresEngine = (pool: pg.Pool, shared: SharedClients): Engine => ({
  send: (text, values) => shared.send(text, values),
  async openSession() {
    const client = await pool.connect()
    return {
      send: (text, values) => sendTo(client, text, values),
      async commit() {
        const { command } = await query(client, 'commit', [])
        if (command === 'ROLLBACK') {
          throw new Error('The transaction was rolled back because one of its statements had failed.')
        }
      },
      release: (isBroken) => client.release(isBroken)
    }
  },
  async close() {
    await shared.close()
    await pool.end()
  }
})

/** The connections of one process: `poolSize` in all, of which at most four are shared by single statements and the others are for transactions. */
export const openConnections = (
  options: ConnectionOptions,
  poolSize: number,
  onError: (error: Error) => void
): { pool: pg.Pool; shared: SharedClients } => {
  const sharedCount = Math.min(4, Math.floor(poolSize / 2))
  const pool = openPool(options, poolSize - sharedCount)
  pool.on('error', onError)
  const shared = openSharedClients(sharedCount, async () => {
    const socket = new Socket()
    return { socket, client: await openClient(options, onError, socket) }
  })
  return { pool, shared }
}
