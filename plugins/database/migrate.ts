import { readdir } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { Migrator, type Migration } from 'kysely/migration'
import { withoutTimeLimit } from './time-limit.ts'
import type { Db } from './types.ts'

const folder = fileURLToPath(new URL('migrations', import.meta.url))

const readMigrations = async (): Promise<Record<string, Migration>> => {
  const files = (await readdir(folder)).filter((file) => /^\d{4}-[a-z0-9-]+\.(ts|js)$/.test(file))
  const entries = files.map(async (file) => [file.replace(/\.(ts|js)$/, ''), (await import(pathToFileURL(join(folder, file)).href)) as Migration] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const migrator = (db: Db): Migrator =>
  new Migrator({ db, provider: { getMigrations: readMigrations }, migrationTableName: 'migrations', migrationLockTableName: 'migrations_lock' })

/**
 * Brings the schema up to date; instances that start together take turns.
 *
 * @returns the names of the migrations that ran.
 * @throws the error of the migration that failed; what ran before it stays.
 */
export const migrateToLatest = async (db: Db): Promise<string[]> => {
  const { error, results } = await withoutTimeLimit(() => migrator(db).migrateToLatest())
  if (error !== undefined) throw error instanceof Error ? error : new Error(`The migration failed: ${JSON.stringify(error)}`)
  return (results ?? []).map((result) => result.migrationName)
}

/** Whether every migration that this version knows has run. */
export const isMigrated = async (db: Db): Promise<boolean> => (await migrator(db).getMigrations()).every((migration) => migration.executedAt !== undefined)
