import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Migrator, sql, type Migration } from 'kysely'
import { withoutTimeLimit } from './time-limit.ts'
import { again } from './transaction.ts'
import type { Db } from './types.ts'

const folder = fileURLToPath(new URL('migrations', import.meta.url))

/** Tells of the failure: what is done afterwards in the transaction that it ended, or on a connection that it broke, fails as well, and only that would be told. */
const telling = (migration: Migration, onFailure: (error: unknown) => void): Migration => ({
  async up(db) {
    try {
      await migration.up(db)
    } catch (error) {
      onFailure(error)
      throw error
    }
  }
})

const readMigrations = async (onFailure: (error: unknown) => void): Promise<Record<string, Migration>> => {
  const names = (await readdir(folder)).flatMap((file) => /^(\d{4}-[a-z0-9-]+)\.(ts|js)$/.exec(file)?.[1] ?? [])
  const entries = names.map(
    async (name) => [name, telling((await import(`./migrations/${name}.ts`)) as Migration, onFailure)] as const
  )
  return Object.fromEntries(await Promise.all(entries))
}

const migrator = (db: Db, onFailure: (error: unknown) => void = () => undefined): Migrator =>
  new Migrator({
    db,
    provider: { getMigrations: () => readMigrations(onFailure) },
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock'
  })

/** Instances that start together take turns by it; it goes with the transaction. */
const lockMigrations = sql`select pg_advisory_xact_lock(hashtextextended('migrations', 0))`

const migrate = async (db: Db): Promise<string[]> => {
  const failures: unknown[] = []
  try {
    return await db.transaction().execute(async (trx) => {
      await lockMigrations.execute(trx)
      const { error, results } = await migrator(trx, (failure) => failures.push(failure)).migrateToLatest()
      if (error !== undefined)
        throw error instanceof Error ? error : new Error(`The migration failed: ${JSON.stringify(error)}`)
      return (results ?? []).map((result) => result.migrationName)
    })
  } catch (error) {
    throw failures[0] ?? error
  }
}

/**
 * Brings the schema up to date, in one transaction: only there do all statements, and the locks that the migrator takes for its session, stay on one connection.
 * It is run again when the database chose it as the victim of a deadlock with what instances of the version before do meanwhile.
 *
 * @returns the names of the migrations that ran.
 * @throws the error of the migration that failed; nothing of this run stays then.
 */
export const migrateToLatest = async (db: Db): Promise<string[]> =>
  await withoutTimeLimit(() => again(() => migrate(db)))

/** Whether every migration that this version knows has run. */
export const isMigrated = async (db: Db): Promise<boolean> =>
  (await migrator(db).getMigrations()).every((migration) => migration.executedAt !== undefined)
