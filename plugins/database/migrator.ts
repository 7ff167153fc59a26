import { sql, type Migration } from 'kysely'
import { StartupError } from '../startup/error.ts'
import { functionStore, readFunctions, type SqlFunction } from './sql-functions.ts'
import { withoutTimeLimit } from './time-limit.ts'
import { again } from './transaction.ts'
import type { Db } from './types.ts'

export interface MigrationsOptions {
  /** Migrations by name, such as `0001-core`. They run in the order of their names. */
  migrations: Record<string, Migration>
  /** The folder of the SQL functions, one `<name>.sql` each. */
  functionsFolder?: string
  /** The schema of the functions and of the tables that record what has run; created when it is missing. Without it the connection's own. */
  schema?: string
}

type OnStep = (step: string) => void

export interface Migrations {
  /**
   * Runs pending migrations, applies the SQL functions whose text changed, and analyzes filled tables, all in one transaction. Instances that start together take turns.
   *
   * @param onStep called with what happens next, such as `Running 0001-core`
   * @returns the names of the migrations that ran.
   * @throws UnknownMigrationsError when another version made the database; otherwise the error of the statement that failed. Nothing of the run is kept then.
   */
  migrateToLatest: (db: Db, onStep?: OnStep) => Promise<string[]>
  /** Whether every migration and every SQL function of this version was applied; a newer version may have applied more. */
  isMigrated: (db: Db) => Promise<boolean>
  /** The migrations in the database that this version does not have. */
  findUnknown: (db: Db) => Promise<string[]>
}

/** The database has migrations that this version does not have. */
export class UnknownMigrationsError extends StartupError {
  constructor(unknown: string[]) {
    const [first, ...others] = unknown
    super(
      `The database was made by another version of AtlasForge: it holds the migration ${first}${others.length > 0 ? ` and ${others.length} more` : ''} that this version does not have. ` +
        'Run that version, or begin with an empty database: move or delete the data directory (ATLAS_DATA_DIR, .atlas by default) if the database is embedded, else set DATABASE_URL to a new database.'
    )
  }
}

interface State {
  executed: Set<string>
  functions: Awaited<ReturnType<ReturnType<typeof functionStore>['read']>>
}

/** Held until the transaction ends. */
const lockMigrations = sql`select pg_advisory_xact_lock(hashtextextended('migrations', 0))`

/**
 * Updates the statistics of every table that holds rows. An empty table is left alone: PostgreSQL assumes ten pages for a table without statistics and uses its indexes,
 * but plans sequential scans for one that it saw empty, and keeps those plans while the table grows.
 */
const analyzeFilledTables = async (trx: Db, schema: string | undefined, onStep: OnStep): Promise<void> => {
  const { rows } = await sql<{ table: string }>`
    select oid::regclass::text as table from pg_class
    where relnamespace = coalesce(${schema ?? null}, current_schema())::regnamespace
      and relkind = 'r' and pg_relation_size(oid) > 0`.execute(trx)
  for (const { table: name } of rows) {
    const table = sql.raw(name)
    onStep(`Analyzing ${name}`)
    const filled = await sql`select from ${table} limit 1`.execute(trx)
    if (filled.rows.length > 0) await sql`analyze ${table}`.execute(trx)
  }
}

/** Creates the migrations of one linear, forward-only history. */
export const createMigrations = ({ migrations, functionsFolder, schema }: MigrationsOptions): Migrations => {
  const names = Object.keys(migrations)
  const qualified = (table: string): string => (schema === undefined ? table : `${schema}.${table}`)
  const store = functionStore(schema)
  let reading: Promise<SqlFunction[]> | undefined
  const wantedFunctions = (): Promise<SqlFunction[]> =>
    (reading ??= functionsFolder === undefined ? Promise.resolve([]) : readFunctions(functionsFolder))

  const readState = async (db: Db): Promise<State> => {
    const { rows } = await sql<{ migrations: boolean; functions: boolean }>`
      select to_regclass(${qualified('migrations')}) is not null as migrations,
        to_regclass(${qualified('migrations_functions')}) is not null as functions`.execute(db)
    const executed = rows[0]?.migrations
      ? (await sql<{ name: string }>`select name from ${sql.table(qualified('migrations'))}`.execute(db)).rows
      : []
    return {
      executed: new Set(executed.map(({ name }) => name)),
      functions: rows[0]?.functions ? await store.read(db) : []
    }
  }

  const unknownOf = ({ executed }: State): string[] => [...executed].filter((name) => !names.includes(name)).sort()

  const isUpToDate = async ({ executed, functions }: State): Promise<boolean> => {
    const current = functions.filter((applied) => applied.current)
    const wanted = await wantedFunctions()
    return (
      names.every((name) => executed.has(name)) &&
      current.length === wanted.length &&
      wanted.every(({ name, hash }) => current.some((applied) => applied.name === name && applied.hash === hash))
    )
  }

  const runPending = async (trx: Db, onStep: OnStep): Promise<string[]> => {
    const table = sql.table(qualified('migrations'))
    if (schema !== undefined) await sql`create schema if not exists ${sql.id(schema)}`.execute(trx)
    await sql`create table if not exists ${table} (
      name text primary key, executed_at timestamptz not null default now())`.execute(trx)
    const { executed } = await readState(trx)
    const pending = Object.entries(migrations)
      .filter(([name]) => !executed.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [name, migration] of pending) {
      onStep(`Running ${name}`)
      await migration.up(trx)
      await sql`insert into ${table} (name) values (${name})`.execute(trx)
    }
    return pending.map(([name]) => name)
  }

  const migrate = async (trx: Db, onStep: OnStep): Promise<string[]> => {
    onStep('Waiting for other migrations')
    await lockMigrations.execute(trx)
    const ran = await runPending(trx, onStep)
    if (functionsFolder !== undefined) await store.synchronize(trx, await wantedFunctions())
    if (ran.length > 0) await analyzeFilledTables(trx, schema, onStep)
    return ran
  }

  return {
    async migrateToLatest(db, onStep = () => undefined) {
      const state = await readState(db)
      const unknown = unknownOf(state)
      if (unknown.length > 0) throw new UnknownMigrationsError(unknown)
      if (await isUpToDate(state)) return []
      return await withoutTimeLimit(() => again(() => db.transaction().execute((trx) => migrate(trx, onStep))))
    },
    async isMigrated(db) {
      const { executed, functions } = await readState(db)
      const wanted = await wantedFunctions()
      return (
        names.every((name) => executed.has(name)) &&
        wanted.every(({ name, hash }) => functions.some((applied) => applied.name === name && applied.hash === hash))
      )
    },
    findUnknown: async (db) => unknownOf(await readState(db))
  }
}
