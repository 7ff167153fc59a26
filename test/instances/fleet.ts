import { randomBytes } from 'node:crypto'
import type { SeededRandom } from '../../scripts/seeded-random.ts'
import { createPostgresDatabase, type Cleaner } from '../build-app.ts'
import { startSite, type Site } from '../load/site.ts'
import { startNginx } from '../machines/nginx.ts'
import { freePort } from '../machines/ports.ts'
import { startPostgres } from '../machines/postgres-server.ts'
import { findProgram, needProgram } from '../machines/programs.ts'
import { startRedis } from '../machines/redis-server.ts'

export interface Fleet extends Site {
  /** URL of nginx, in front of all instances. */
  front: string
  /** URLs of the instances themselves. */
  direct: string[]
  ingestSecret: string
  nginxLog(): string
}

export interface FleetOptions {
  random: SeededRandom
  instances: number
  /** A running PostgreSQL server and Redis to use instead of starting new ones. */
  databaseUrl: string | undefined
  redisUrl: string | undefined
}

/** A message that lists missing programs; undefined when all are installed. */
export const missingPrograms = ({
  databaseUrl,
  redisUrl
}: Pick<FleetOptions, 'databaseUrl' | 'redisUrl'>): string | undefined => {
  const missing = [
    ...(findProgram('nginx') === undefined ? ['nginx'] : []),
    ...(databaseUrl === undefined && findProgram('initdb') === undefined ? ['postgresql'] : []),
    ...(redisUrl === undefined && findProgram('redis-server') === undefined ? ['redis-server'] : [])
  ]
  if (missing.length === 0) return undefined
  return `Not installed: ${missing.join(', ')}. On Debian: apt-get install ${missing.join(' ')}. Alternatively, set TEST_DATABASE_URL and TEST_REDIS_URL to running servers.`
}

const openDatabaseUrl = async (t: Cleaner, given: string | undefined): Promise<string> => {
  if (given === undefined) return (await startPostgres(t, { durable: true })).url
  const own = await createPostgresDatabase(given)
  t.teardown(() => own.drop())
  return own.url
}

/** Instances in production mode on one PostgreSQL and one Redis behind nginx, and a tenant created through nginx. */
export const startFleet = async (
  t: Cleaner,
  { random, instances, databaseUrl, redisUrl }: FleetOptions
): Promise<Fleet> => {
  needProgram('nginx', 'nginx')
  const database = await openDatabaseUrl(t, databaseUrl)
  const redis = redisUrl ?? (await startRedis(t)).url
  const port = await freePort()
  const ingestSecret = randomBytes(24).toString('hex')
  let nginxLog = () => ''
  const site = await startSite(t, {
    random,
    databaseUrl: database,
    instances,
    settings: {
      REDIS_URL: `${redis}?keyPrefix=${randomBytes(6).toString('hex')}:`,
      DATABASE_POOL_SIZE: '5',
      ATLAS_TRUST_PROXY: 'true',
      ATLAS_PUBLIC_URL: `http://127.0.0.1:${port}`,
      ATLAS_INGEST_SECRET: ingestSecret
    },
    front: async (servers) => {
      const nginx = await startNginx(
        t,
        port,
        servers.map((server) => server.port)
      )
      nginxLog = nginx.log
      return nginx.url
    }
  })
  return {
    ...site,
    front: site.urls[0] ?? '',
    direct: site.servers.map(({ url }) => url),
    ingestSecret,
    nginxLog: () => nginxLog()
  }
}
