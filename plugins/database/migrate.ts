import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { withoutTimeLimit } from './time-limit.ts'
import type { Db } from './types.ts'

const folder = fileURLToPath(new URL('migrations', import.meta.url))

const readMigrations = async (): Promise<Record<string, Migration>> => {
  const names = (await readdir(folder)).flatMap((file) => /^(\d{4}-[a-z0-9-]+)\.(ts|js)$/.exec(file)?.[1] ?? [])
  const entries = names.map(async (name) => [name, (await import(`./migrations/${name}.ts`)) as Migration] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const migrator = (db: Db): Migrator =>
  new Migrator({ db, provider: { getMigrations: readMigrations }, migrationTableName: 'migrations', migrationLockTableName: 'migrations_lock' })

/** Instances that start together take turns by it; it goes with the transaction. */
const lockMigrations = sql`select pg_advisory_xact_lock(hashtextextended('migrations', 0))`

/**
 * Brings the schema up to date, in one transaction: only there do all statements, and the locks that the migrator takes for its session, stay on one connection.
 *
 * @returns the names of the migrations that ran.
 * @throws the error of the migration that failed; nothing of this run stays then.
 */
export const migrateToLatest = async (db: Db): Promise<string[]> =>
  await withoutTimeLimit(() =>
    db.transaction().execute(async (trx) => {
      await lockMigrations.execute(trx)
      const { error, results } = await migrator(trx).migrateToLatest()
      if (error !== undefined) throw error instanceof Error ? error : new Error(`The migration failed: ${JSON.stringify(error)}`)
      return (results ?? []).map((result) => result.migrationName)
    })
  )

/** Whether every migration that this version knows has run. */
export const isMigrated = async (db: Db): Promise<boolean> => (await migrator(db).getMigrations()).every((migration) => migration.executedAt !== undefined)
