import { join } from 'node:path'
import fp from 'fastify-plugin'
import { Kysely, sql } from 'kysely'
import type { Config } from '../config/index.ts'
import '../config/plugin.ts'
import '../metrics/index.ts'
import './tables.ts'
import { createDialect } from './dialect.ts'
import { lockDirectory } from './directory-lock.ts'
import { advisoryLocks, processLocks, type Locks } from './locks.ts'
import { isMigrated, migrateToLatest } from './migrate.ts'
import { createPgliteEngine, openPglite } from './pglite.ts'
import { createPostgresEngine, openClient, openConnections, type ConnectionOptions } from './postgres.ts'
import { StartupError, wordsOf } from '../startup/error.ts'
import { defaultConnectLimitMs, defaultStatementLimitMs } from './time-limit.ts'
import { watchTransactions } from './transaction.ts'
import type { Database, Db } from './types.ts'

/** The state of this process's database connections. */
export interface Connections {
  active: number
  idle: number
  /** Transactions that wait for a connection. */
  waiting: number
  /** The maximum number of connections for transactions. */
  most: number
  /** Single statements in progress on the shared connections. */
  statements: number
}

export interface DatabaseHandle {
  driver: 'embedded' | 'postgresql'
  db: Db
  locks: Locks
  /** The state of the connections; undefined for the embedded database. */
  connections?: () => Connections
  /** Whether the database responds to a query. */
  answers(): Promise<boolean>
  /** Whether every migration has run. Caches the result once it is true. */
  migrated(): Promise<boolean>
  close(): Promise<void>
}

export type Driver = Pick<DatabaseHandle, 'driver' | 'db' | 'locks' | 'connections' | 'close'>

const openEmbedded = async (dataDir: string): Promise<Driver> => {
  const unlock = await lockDirectory(dataDir)
  const pglite = await openPglite(join(dataDir, 'pgdata'))
  const db = new Kysely<Database>({ dialect: createDialect(createPgliteEngine(pglite)) })
  return {
    driver: 'embedded',
    db,
    locks: processLocks(),
    async close() {
      await db.destroy()
      if (!pglite.closed) await pglite.close()
      await unlock()
    }
  }
}

export const openPostgres = (
  connectionString: string,
  poolSize: number,
  onError: (error: Error) => void,
  {
    statementLimitMs = defaultStatementLimitMs,
    connectLimitMs = Math.min(defaultConnectLimitMs, statementLimitMs)
  }: Partial<ConnectionOptions> = {}
): Driver => {
  const options = { connectionString, statementLimitMs, connectLimitMs }
  const { pool, shared } = openConnections(options, poolSize, onError)
  const db = new Kysely<Database>({ dialect: createDialect(createPostgresEngine(pool, shared)) })
  const locks = advisoryLocks(() => openClient(options, onError))
  return {
    driver: 'postgresql',
    db,
    locks,
    connections: () => ({
      active: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      most: pool.options.max,
      statements: shared.underWay()
    }),
    async close() {
      await locks.close()
      await db.destroy()
    }
  }
}

/** Adds the state queries to an open driver. */
export const withState = (driver: Driver): DatabaseHandle => {
  let migrated = false
  return {
    ...driver,
    async answers() {
      try {
        await sql`select 1`.execute(driver.db)
        return true
      } catch {
        return false
      }
    },
    async migrated() {
      migrated ||= await isMigrated(driver.db)
      return migrated
    }
  }
}

/**
 * Opens the configured database: PostgreSQL if a URL is set, else the embedded one in the data directory.
 *
 * @throws Error when another process uses the data directory.
 */
export const openDatabase = async (
  config: Pick<Config, 'databaseUrl' | 'databasePoolSize' | 'dataDir'>,
  onError: (error: Error) => void
): Promise<DatabaseHandle> =>
  withState(
    config.databaseUrl === undefined
      ? await openEmbedded(config.dataDir)
      : openPostgres(config.databaseUrl, config.databasePoolSize, onError)
  )

declare module 'fastify' {
  interface FastifyInstance {
    database: DatabaseHandle
  }
}

/** Provides the database to every plugin. Outside production it migrates the schema first. The caller closes a database that it passed. */
export default fp<{ database?: DatabaseHandle | undefined }>(
  async (app, { database }) => {
    const handle =
      database ??
      (await openDatabase(app.config, (error) => app.log.error({ err: error }, 'a database connection failed')))
    if (database === undefined) app.addHook('onClose', () => handle.close())
    if (app.config.environment !== 'production') {
      watchTransactions()
      await sql`select 1`.execute(handle.db).catch((error: unknown) => {
        throw new StartupError(
          `The server cannot use the database (${wordsOf(error)}): check DATABASE_URL, or run \`npm run doctor\`.`
        )
      })
      await migrateToLatest(handle.db)
    }
    app.decorate('database', handle)
    app.metrics.gauge({ name: 'atlas_database_up', help: '1 when the database responds, else 0.' }, async () =>
      (await handle.answers()) ? 1 : 0
    )
    const { connections } = handle
    if (connections === undefined) return
    app.metrics.gauge(
      {
        name: 'atlas_database_connections',
        help: 'Connections of this process for transactions, and transactions that wait for one.',
        label: 'state'
      },
      () => {
        const { active, idle, waiting, most } = connections()
        return { active, idle, waiting, most }
      }
    )
    app.metrics.gauge(
      { name: 'atlas_database_statements_in_flight', help: 'Single statements in progress.' },
      () => connections().statements
    )
  },
  { name: 'database', dependencies: ['config', 'metrics'] }
)
