import { randomBytes } from 'node:crypto'
import type { SeededRandom } from '../../scripts/seeded-random.ts'
import { openPostgres, withState, type DatabaseHandle } from '../../plugins/database/index.ts'
import { migrateToLatest } from '../../plugins/database/migrate.ts'
import type { Db } from '../../plugins/database/types.ts'
import { migrateToLatest as migrateSimulators } from '../../simulators/migrate.ts'
import type { Cleaner } from '../build-app.ts'
import { send } from '../credentials.ts'
import { startServerProcess, type ServerProcess } from '../machines/server-process.ts'
import { startReceiver, type Receiver } from '../modules/webhooks/setup.ts'
import { assertEverythingHolds } from './invariants.ts'
import { createPromises, type Promises } from './promises.ts'
import { createTenant, succeeded, type Tenant } from './tenant.ts'

export interface Site {
  servers: ServerProcess[]
  /** The URLs that clients use: those of the servers, or of a proxy in front of them. */
  urls: string[]
  /** A direct connection to the database, past any proxy between it and the servers. */
  database: DatabaseHandle
  tenant: Tenant
  receiver: Receiver
  promises: Promises
  /** Settles every operation and asserts every invariant. Returns a summary. */
  verify(): Promise<string>
}

export interface SiteOptions {
  random: SeededRandom
  /** The database URL for the test. */
  databaseUrl: string
  /** The database URL for the servers, if it differs. */
  serversDatabaseUrl?: string
  instances?: number
  agents?: number
  settings?: Record<string, string>
  /** Starts a proxy in front of the servers and returns its URL. Without it clients use the servers directly. */
  front?: (servers: ServerProcess[]) => Promise<string>
}

/**
 * Production settings with new keys and webhooks to any address. Overload protection by loop delay is disabled, because the server shares the machine
 * with its clients and the injected faults.
 */
const productionSettings = (databaseUrl: string): Record<string, string> => ({
  NODE_ENV: 'production',
  LOG_LEVEL: 'warn',
  DATABASE_URL: databaseUrl,
  ATLAS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  ATLAS_JWT_SECRET: randomBytes(48).toString('base64'),
  ATLAS_WEBHOOK_ALLOW_PRIVATE: 'true',
  ATLAS_SIMULATORS: 'true',
  ATLAS_OVERLOAD_LOOP_DELAY_MS: '0'
})

/**
 * Creates a webhook endpoint for every event of the tenant. Returns the number of events that were committed before. They are counted in the database, because the feed lacks
 * those that are not published yet, and the endpoint never receives them either.
 */
export const subscribe = async (
  { url, db }: { url: string; db: Db },
  { partnerId, key }: Pick<Tenant, 'partnerId' | 'key'>,
  receiver: Receiver
): Promise<number> => {
  succeeded(await send(url, 'POST', '/v1/webhooks', { key, body: { url: receiver.url, events: ['*'] } }))
  return (await db.selectFrom('events').select('id').where('partner_id', '=', partnerId).execute()).length
}

/** Servers in production mode on a migrated database, a tenant, and a receiver of its events. */
export const startSite = async (t: Cleaner, options: SiteOptions): Promise<Site> => {
  const {
    random,
    databaseUrl,
    serversDatabaseUrl = databaseUrl,
    instances = 1,
    agents = 3,
    settings = {},
    front
  } = options
  const database = withState(openPostgres(databaseUrl, 4, () => undefined))
  t.teardown(() => database.close())
  await migrateToLatest(database.db)
  await migrateSimulators(database.db)
  const all = { ...productionSettings(serversDatabaseUrl), ...settings }
  const servers = await Promise.all(Array.from({ length: instances }, () => startServerProcess(t, all)))
  const urls = front === undefined ? servers.map((server) => server.url) : [await front(servers)]
  const [url] = urls as [string]
  const tenant = await createTenant(url, database.db, agents)
  const receiver = await startReceiver(t)
  const eventsBefore = await subscribe({ url, db: database.db }, tenant, receiver)
  const promises = createPromises(tenant, random)
  return {
    servers,
    urls,
    database,
    tenant,
    receiver,
    promises,
    async verify() {
      for (const server of servers)
        if (!server.isRunning()) throw new Error(`A server exited unexpectedly:\n${server.output().slice(-2_000)}`)
      await promises.settle(urls)
      const { partnerId } = tenant
      return await assertEverythingHolds({
        db: database.db,
        url,
        partnerId,
        promises,
        received: receiver.received,
        eventsBefore
      })
    }
  }
}
