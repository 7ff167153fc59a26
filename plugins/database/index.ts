import { join } from 'node:path'
import fp from 'fastify-plugin'
import { Kysely, sql } from 'kysely'
import type { Config } from '../config/index.ts'
import '../config/plugin.ts'
import './tables.ts'
import { embeddedDialect, openClient, openPglite, openPool, postgresDialect } from './dialect.ts'
import { lockDirectory } from './directory-lock.ts'
import { advisoryLocks, processLocks, type Locks } from './locks.ts'
import { isMigrated, migrateToLatest } from './migrate.ts'
import { defaultStatementLimitMs } from './time-limit.ts'
import type { Database, Db } from './types.ts'

export interface DatabaseHandle {
  driver: 'embedded' | 'postgresql'
  db: Db
  locks: Locks
  /** Whether the database answers a query. */
  answers(): Promise<boolean>
  /** Whether every migration has run; asked of the database until the answer is yes. */
  migrated(): Promise<boolean>
  close(): Promise<void>
}

export type Driver = Pick<DatabaseHandle, 'driver' | 'db' | 'locks' | 'close'>

const openEmbedded = async (dataDir: string): Promise<Driver> => {
  const unlock = await lockDirectory(dataDir)
  const pglite = await openPglite(join(dataDir, 'pgdata'))
  const db = new Kysely<Database>({ dialect: embeddedDialect(pglite) })
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
  { statementLimitMs = defaultStatementLimitMs }: { statementLimitMs?: number } = {}
): Driver => {
  const options = { connectionString, statementLimitMs }
  const pool = openPool(options, poolSize)
  pool.on('error', onError)
  const db = new Kysely<Database>({ dialect: postgresDialect(pool) })
  const locks = advisoryLocks(async () => {
    const client = openClient(options)
    client.on('error', onError)
    await client.connect()
    return client
  })
  return {
    driver: 'postgresql',
    db,
    locks,
    async close() {
      await locks.close()
      await db.destroy()
    }
  }
}

/** Completes an open driver with what every database can tell of itself. */
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
 * Opens the database that the configuration names: PostgreSQL by its URL, else the embedded one in the data directory.
 *
 * @throws Error when another process uses the data directory.
 */
export const openDatabase = async (
  config: Pick<Config, 'databaseUrl' | 'databasePoolSize' | 'dataDir'>,
  onError: (error: Error) => void
): Promise<DatabaseHandle> =>
  withState(config.databaseUrl === undefined ? await openEmbedded(config.dataDir) : openPostgres(config.databaseUrl, config.databasePoolSize, onError))

declare module 'fastify' {
  interface FastifyInstance {
    database: DatabaseHandle
  }
}

/** Gives every plugin the database; outside production the schema is brought up to date first. A database that is given stays open for its owner to close. */
export default fp<{ database?: DatabaseHandle | undefined }>(
  async (app, { database }) => {
    const handle = database ?? (await openDatabase(app.config, (error) => app.log.error({ err: error }, 'a database connection failed')))
    if (database === undefined) app.addHook('onClose', () => handle.close())
    if (app.config.environment !== 'production') await migrateToLatest(handle.db)
    app.decorate('database', handle)
  },
  { name: 'database', dependencies: ['config'] }
)
