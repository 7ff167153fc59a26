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
  /** Where clients send to: the servers, or what stands before them. */
  urls: string[]
  /** The database itself, whatever lies between it and the servers. */
  database: DatabaseHandle
  tenant: Tenant
  receiver: Receiver
  promises: Promises
  /** Settles every operation and asserts that everything holds; answers what was verified. */
  verify(): Promise<string>
}

export interface SiteOptions {
  random: SeededRandom
  /** Where the test reaches the database. */
  databaseUrl: string
  /** Where the servers reach it, if that is another way. */
  serversDatabaseUrl?: string
  instances?: number
  agents?: number
  settings?: Record<string, string>
  /** Starts what stands before the servers, and answers where clients reach it; without it they reach the servers themselves. */
  front?: (servers: ServerProcess[]) => Promise<string>
}

/**
 * What a server in production is given, with new keys and without limits on where webhooks go. It does not refuse anything for being slow: it shares the machine with
 * all that loads it and makes trouble.
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
 * An endpoint for every event of the tenant; answers how many events were committed before it. They are counted in the database, because those that are not published yet are not
 * in the feed, and the endpoint never gets them either.
 */
export const subscribe = async (
  { url, db }: { url: string; db: Db },
  { partnerId, key }: Pick<Tenant, 'partnerId' | 'key'>,
  receiver: Receiver
): Promise<number> => {
  succeeded(await send(url, 'POST', '/v1/webhooks', { key, body: { url: receiver.url, events: ['*'] } }))
  return (await db.selectFrom('events').select('id').where('partner_id', '=', partnerId).execute()).length
}

/** Servers in production mode on a migrated database, a tenant, and a consumer of its events. */
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
        if (!server.isRunning()) throw new Error(`A server ended by itself:\n${server.output().slice(-2_000)}`)
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
