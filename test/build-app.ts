import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app.ts'
import { loadConfig, type Config } from '../plugins/config/index.ts'
import type { DatabaseHandle } from '../plugins/database/index.ts'
import type { RateLimits } from '../plugins/access/rate-limit.ts'
import { rateLimits } from '../spec/generated/index.ts'
import { openTestDatabase, type Cleaner } from './test-database.ts'

export { createPostgresDatabase, fillDataDir, openTestDatabase, type Cleaner } from './test-database.ts'

/** A clock that stands still until it is advanced. */
export class TestClock {
  #now: number
  constructor(start = '2026-06-14T18:00:00.000Z') {
    this.#now = Date.parse(start)
  }
  now(): Date {
    return new Date(this.#now)
  }
  /** Advances the clock, in milliseconds. */
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
  /** Rate limits, for tests of the limits themselves; without them requests are not limited. */
  rateLimits?: RateLimits
  /** Days of transactions in a newly linked item: four months, unless a test needs the two years that users get. */
  historyDays?: number
  /** How long the server lingers when it closes; zero by default. */
  lingerMs?: number
  logStream?: { write(line: string): void } | undefined
  /** Extends the server before it listens, for example with operations that only a test needs. */
  extend?: (app: FastifyInstance) => void
}

const noLimits = Object.fromEntries(
  Object.keys(rateLimits).map((name) => [name, { limit: 1_000_000, windowSeconds: 1 }])
) as unknown as RateLimits

export interface TestApp {
  app: FastifyInstance
  /** The server's URL, such as http://127.0.0.1:41234. */
  url: string
  clock: TestClock
  database: DatabaseHandle
  config: Config
}

/** The real server on a free port with its own database, closed after the test. */
export const startApp = async (t: Cleaner, options: TestOptions = {}): Promise<TestApp> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-test-'))
  const redisUrl = process.env.TEST_REDIS_URL
  const config = loadConfig({
    NODE_ENV: 'test',
    ATLAS_DATA_DIR: dataDir,
    // Two servers on one database are two instances of one server.
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 'a key for tests only').toString('base64'),
    // The embedded database and the test itself compute in this process as well.
    ATLAS_OVERLOAD_LOOP_DELAY_MS: '0',
    ...(process.env.TEST_LOG_LEVEL === undefined ? {} : { LOG_LEVEL: process.env.TEST_LOG_LEVEL }),
    ...(redisUrl === undefined || redisUrl === ''
      ? {}
      : { REDIS_URL: `${redisUrl}?keyPrefix=${randomBytes(6).toString('hex')}:` }),
    ...options.env
  })
  const clock = options.clock ?? new TestClock()
  const database = options.database ?? (await openTestDatabase(t))
  const { rateLimits: limits = noLimits, historyDays = 120, lingerMs = 0, logStream } = options
  const app = await buildApp({ config, clock, database, rateLimits: limits, historyDays, lingerMs, logStream })
  t.teardown(async () => {
    await app.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  options.extend?.(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { app, url: `http://127.0.0.1:${port}`, clock, database, config }
}
