import { createHash, randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kysely } from 'kysely'
import pg from 'pg'
import { createDialect } from '../plugins/database/dialect.ts'
import { openDatabase, openPostgres, withState, type DatabaseHandle } from '../plugins/database/index.ts'
import { migrateToLatest } from '../plugins/database/migrate.ts'
import { createPgliteEngine, openPglite } from '../plugins/database/pglite.ts'
import type { Database, Db } from '../plugins/database/types.ts'
import { migrateToLatest as migrateSimulators } from '../simulators/migrate.ts'

/** The part of a test that cleans up after it. Both `t` and the object of tap's `after` have it. */
export interface Cleaner {
  teardown(work: () => Promise<void> | void): void
}

const root = fileURLToPath(new URL('..', import.meta.url))
const sourceFolders = ['plugins/database/migrations', 'plugins/database/functions', 'simulators/migrations']

const hashOfMigrations = (): string => {
  const hash = createHash('sha256')
  for (const folder of sourceFolders)
    for (const file of readdirSync(join(root, folder)).sort())
      hash.update(file).update(readFileSync(join(root, folder, file)))
  return hash.digest('hex').slice(0, 16)
}

const migrateAll = async (db: Db): Promise<void> => {
  await migrateToLatest(db)
  await migrateSimulators(db)
}

/** A folder with a migrated, empty embedded database. It is created once for each state of the migrations, because migrating takes seconds. */
const embeddedTemplate = async (): Promise<string> => {
  const path = join(root, '.cache', `template-${hashOfMigrations()}`)
  if (existsSync(path)) return path
  // Created under another name and renamed, so that no other test copies an incomplete folder.
  const half = `${path}.${process.pid}`
  mkdirSync(half, { recursive: true })
  const pglite = await openPglite(half)
  await migrateAll(new Kysely<Database>({ dialect: createDialect(createPgliteEngine(pglite)) }))
  // No test needs these template databases, and they are a third of the copied data.
  for (const name of ['template0', 'template1']) {
    await pglite.query(`alter database ${name} is_template false`)
    await pglite.query(`drop database ${name}`)
  }
  await pglite.close()
  try {
    renameSync(half, path)
  } catch {
    // Another test has created it meanwhile.
    rmSync(half, { recursive: true, force: true })
  }
  return path
}

/** Puts a migrated, empty embedded database into the data directory of a server that has none yet. */
export const fillDataDir = async (dataDir: string): Promise<void> => {
  cpSync(await embeddedTemplate(), join(dataDir, 'pgdata'), { recursive: true })
}

const openEmbedded = async (): Promise<DatabaseHandle> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-db-'))
  await fillDataDir(dataDir)
  const handle = await openDatabase({ databaseUrl: undefined, databasePoolSize: 1, dataDir }, () => undefined)
  return {
    ...handle,
    async close() {
      await handle.close()
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
}

const admin = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const databaseUrl = (url: string, name: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

/** Creates the migrated template database once. Test files that start concurrently take turns with an advisory lock. */
const postgresTemplate = async (url: string): Promise<string> => {
  const name = `atlas_template_${hashOfMigrations()}`
  await admin(url, async (client) => {
    await client.query('select pg_advisory_lock(7201)')
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount !== 0) return
    const half = `${name}_half`
    await client.query(`drop database if exists ${half}`)
    await client.query(`create database ${half}`)
    const handle = openPostgres(databaseUrl(url, half), 2, () => undefined)
    await migrateAll(handle.db)
    await handle.close()
    await client.query(`alter database ${half} rename to ${name}`)
  })
  return name
}

let databases = 0

/** A name that no other test uses. A mutation test may end a test file midway, and the next file of the same worker then reuses its database. */
const databaseName = (): string => {
  const worker = process.env.STRYKER_MUTATOR_WORKER
  return worker === undefined
    ? `atlas_test_${randomBytes(8).toString('hex')}`
    : `atlas_mutation_${worker}_${++databases}`
}

/** The URL of a new migrated database on the test PostgreSQL, and how to drop it. */
export const createPostgresDatabase = async (url: string): Promise<{ url: string; drop(): Promise<void> }> => {
  const template = await postgresTemplate(url)
  const name = databaseName()
  await admin(url, async (client) => {
    await client.query('select pg_advisory_lock(7201)')
    await client.query(`drop database if exists ${name} with (force)`)
    await client.query(`create database ${name} template ${template}`)
  })
  return {
    url: databaseUrl(url, name),
    drop: () => admin(url, async (client) => void (await client.query(`drop database if exists ${name} with (force)`)))
  }
}

/** Drops databases that the last test files of the mutation tests left behind. */
export const dropMutationDatabases = async (url: string): Promise<void> =>
  await admin(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select datname as name from pg_database where datname like 'atlas\\_mutation\\_%'`
    )
    for (const { name } of rows) await client.query(`drop database if exists ${name} with (force)`)
  })

/** A migrated, empty database of its own: embedded, or on the PostgreSQL that TEST_DATABASE_URL names. */
export const openTestDatabase = async (t: Cleaner): Promise<DatabaseHandle> => {
  const url = process.env.TEST_DATABASE_URL
  if (url === undefined || url === '') {
    const handle = await openEmbedded()
    t.teardown(() => handle.close())
    return handle
  }
  const { url: own, drop } = await createPostgresDatabase(url)
  // A busy machine must not make the server refuse what a test sends at once.
  const handle = openPostgres(own, 10, () => undefined, { statementLimitMs: 300_000, connectLimitMs: 300_000 })
  t.teardown(async () => {
    await handle.close()
    await drop()
  })
  return withState(handle)
}
