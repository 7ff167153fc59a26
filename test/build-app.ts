import { createHash, randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { Kysely } from 'kysely'
import pg from 'pg'
import { buildApp } from '../app.ts'
import { loadConfig, type Config } from '../plugins/config/index.ts'
import { embeddedDialect, openPglite } from '../plugins/database/dialect.ts'
import { openPostgres, withState, type DatabaseHandle } from '../plugins/database/index.ts'
import { processLocks } from '../plugins/database/locks.ts'
import { migrateToLatest } from '../plugins/database/migrate.ts'
import type { Database } from '../plugins/database/types.ts'
import type { RateLimits } from '../plugins/rate-limit/index.ts'
import { rateLimits } from '../spec/generated/index.ts'

/** The part of a test's context that cleans up after it; `t` of node:test and the `{after}` of the module itself both are one. */
export interface Cleaner {
  after(work: () => Promise<void> | void): void
}

const root = fileURLToPath(new URL('..', import.meta.url))
const migrationsFolder = join(root, 'plugins/database/migrations')

const hashOfMigrations = (): string => {
  const hash = createHash('sha256')
  for (const file of readdirSync(migrationsFolder).sort()) hash.update(file).update(readFileSync(join(migrationsFolder, file)))
  return hash.digest('hex').slice(0, 16)
}

/** A folder with a migrated, empty embedded database; made once for each state of the migrations and kept, since migrating takes seconds. */
const embeddedTemplate = async (): Promise<string> => {
  const path = join(root, '.cache', `template-${hashOfMigrations()}`)
  if (existsSync(path)) return path
  // Made beside and renamed, so that another test never copies half of it.
  const half = `${path}.${process.pid}`
  mkdirSync(half, { recursive: true })
  const pglite = await openPglite(half)
  await migrateToLatest(new Kysely<Database>({ dialect: embeddedDialect(pglite) }))
  await pglite.close()
  try {
    renameSync(half, path)
  } catch {
    // Another test made it meanwhile.
    rmSync(half, { recursive: true, force: true })
  }
  return path
}

const openEmbedded = async (): Promise<DatabaseHandle> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-db-'))
  cpSync(await embeddedTemplate(), dataDir, { recursive: true })
  const pglite = await openPglite(dataDir)
  const db = new Kysely<Database>({ dialect: embeddedDialect(pglite) })
  return withState({
    driver: 'embedded',
    db,
    locks: processLocks(),
    async close() {
      await db.destroy()
      if (!pglite.closed) await pglite.close()
      rmSync(dataDir, { recursive: true, force: true })
    }
  })
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

/** Makes the migrated template database once; test files that start together take turns by an advisory lock. */
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
    await migrateToLatest(handle.db)
    await handle.close()
    await client.query(`alter database ${half} rename to ${name}`)
  })
  return name
}

/** The URL of a new migrated database on the test PostgreSQL, and how to drop it. */
export const createPostgresDatabase = async (url: string): Promise<{ url: string; drop(): Promise<void> }> => {
  const template = await postgresTemplate(url)
  const name = `atlas_test_${randomBytes(8).toString('hex')}`
  await admin(url, async (client) => {
    await client.query('select pg_advisory_lock(7201)')
    await client.query(`create database ${name} template ${template}`)
  })
  return { url: databaseUrl(url, name), drop: () => admin(url, async (client) => void (await client.query(`drop database if exists ${name} with (force)`))) }
}

/** A migrated, empty database of its own: embedded, or on the PostgreSQL that TEST_DATABASE_URL names. */
export const openTestDatabase = async (t: Cleaner): Promise<DatabaseHandle> => {
  const url = process.env.TEST_DATABASE_URL
  if (url === undefined || url === '') {
    const handle = await openEmbedded()
    t.after(() => handle.close())
    return handle
  }
  const { url: own, drop } = await createPostgresDatabase(url)
  const handle = openPostgres(own, 10, () => undefined)
  t.after(async () => {
    await handle.close()
    await drop()
  })
  return withState(handle)
}

/** A clock that stands still until it is turned. */
export class TestClock {
  #now: number
  constructor(start = '2026-06-14T18:00:00.000Z') {
    this.#now = Date.parse(start)
  }
  now(): Date {
    return new Date(this.#now)
  }
  /** Turns the clock by milliseconds. */
  advance(ms: number): void {
    this.#now += ms
  }
  set(time: string): void {
    this.#now = Date.parse(time)
  }
}

export interface TestOptions {
  env?: Record<string, string>
  clock?: TestClock
  database?: DatabaseHandle
  /** Ceilings for tests of the limits themselves; without them nothing that a test does is limited. */
  rateLimits?: RateLimits
  /** Days of transactions in a newly linked item; four months unless a test needs the two years that users get. */
  historyDays?: number
  /** How long it lingers when it closes; not at all unless a test is about that. */
  lingerMs?: number
  logStream?: { write(line: string): void } | undefined
  /** Adds to the server before it listens, such as operations that exist for a test only. */
  extend?: (app: FastifyInstance) => void
}

const noLimits = Object.fromEntries(Object.keys(rateLimits).map((name) => [name, { limit: 1_000_000, windowSeconds: 1 }])) as unknown as RateLimits

export interface TestApp {
  app: FastifyInstance
  /** Where it listens, such as http://127.0.0.1:41234. */
  url: string
  clock: TestClock
  database: DatabaseHandle
  config: Config
}

/** The real server on a free port, with a database of its own, closed after the test. */
export const startApp = async (t: Cleaner, options: TestOptions = {}): Promise<TestApp> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-test-'))
  const redisUrl = process.env.TEST_REDIS_URL
  const config = loadConfig({
    NODE_ENV: 'test',
    ATLAS_DATA_DIR: dataDir,
    // Two servers on one database are two instances of one server.
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 'a key for tests alone').toString('base64'),
    ...(process.env.TEST_LOG_LEVEL === undefined ? {} : { LOG_LEVEL: process.env.TEST_LOG_LEVEL }),
    ...(redisUrl === undefined || redisUrl === '' ? {} : { REDIS_URL: `${redisUrl}?keyPrefix=${randomBytes(6).toString('hex')}:` }),
    ...options.env
  })
  const clock = options.clock ?? new TestClock()
  const database = options.database ?? (await openTestDatabase(t))
  const { rateLimits: limits = noLimits, historyDays = 120, lingerMs = 0, logStream } = options
  const app = await buildApp({ config, clock, database, rateLimits: limits, historyDays, lingerMs, logStream })
  t.after(async () => {
    await app.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  options.extend?.(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { app, url: `http://127.0.0.1:${port}`, clock, database, config }
}
