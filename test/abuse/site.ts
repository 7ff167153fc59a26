import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { openPostgres, withState } from '../../plugins/database/index.ts'
import { migrateToLatest } from '../../plugins/database/migrate.ts'
import { migrateToLatest as migrateSimulators } from '../../simulators/migrate.ts'
import { createPostgresDatabase, type Cleaner } from '../build-app.ts'
import { createPartner, send } from '../credentials.ts'
import { linkBank, succeeded } from '../load/tenant.ts'
import { scriptToRun } from '../machines/scripts.ts'
import { startServerProcess } from '../machines/server-process.ts'
import { startReceiver, type Receiver } from '../modules/webhooks/setup.ts'
import type { Attack, Target } from './attacks.ts'
import { useServer } from './client.ts'

export interface AbuseSite {
  url: string
  /** The key of the well-behaved client. */
  key: string
  receiver: Receiver
  target: Target
}

const quietSeconds = 15
const mostRatio = 3
const latestWebhookSeconds = 5

/** A server in production mode with its own limits, a well-behaved tenant with a webhook endpoint, and a hostile one with two years of transactions. */
export const prepareSite = async (t: Cleaner, server: string, secret: Buffer): Promise<AbuseSite> => {
  const { url: databaseUrl, drop } = await createPostgresDatabase(server)
  t.teardown(drop)
  const database = withState(openPostgres(databaseUrl, 4, () => undefined))
  t.teardown(() => database.close())
  await migrateToLatest(database.db)
  await migrateSimulators(database.db)
  const { url } = await startServerProcess(t, {
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    DATABASE_URL: databaseUrl,
    ATLAS_ENCRYPTION_KEY: secret.toString('base64'),
    ATLAS_JWT_SECRET: secret.toString('hex'),
    ATLAS_WEBHOOK_ALLOW_PRIVATE: 'true',
    ATLAS_SIMULATORS: 'true'
  })
  const [{ testKey: key }, { testKey: hostile }] = [await createPartner(database), await createPartner(database)]
  const userId = 'usr_hostile'
  await linkBank(url, hostile, userId)
  const receiver = await startReceiver(t)
  succeeded(await send(url, 'POST', '/v1/webhooks', { key, body: { url: receiver.url, events: ['*'] } }))
  return { url, key, receiver, target: { url, key: hostile, userId } }
}

/** Seconds from the client's slowest event to its delivery during an attack; Infinity when one is missing. */
const watchWebhooks = async ({ url, key, receiver }: AbuseSite, signal: AbortSignal): Promise<number> => {
  let slowest = 0
  const { id: projectId } = succeeded(await send(url, 'POST', '/v1/projects', { key, body: { name: 'watched' } }))
  while (!signal.aborted) {
    const begun = performance.now()
    const { id } = succeeded(await send(url, 'POST', '/v1/tasks', { key, body: { projectId, title: 'watched' } }))
    while (!receiver.received.some(({ raw }) => raw.includes(id))) {
      if (performance.now() - begun > 60_000) return Infinity
      await wait(50)
    }
    slowest = Math.max(slowest, (performance.now() - begun) / 1_000)
    await wait(4_000)
  }
  return slowest
}

/** Measures the client without and with an attack. */
export const playAttack = async (
  site: AbuseSite,
  { name }: Attack,
  seconds: number
): Promise<{ row: (number | string)[]; fault: string | undefined }> => {
  const quiet = await useServer(site.url, site.key, quietSeconds)
  const attacker = spawn(
    process.execPath,
    [...scriptToRun('test/abuse/attacker.ts'), name, JSON.stringify(site.target)],
    {
      stdio: ['ignore', 'inherit', 'inherit']
    }
  )
  const ended = once(attacker, 'exit')
  const over = new AbortController()
  const watching = watchWebhooks(site, over.signal)
  await wait(1_000)
  const attacked = await useServer(site.url, site.key, seconds)
  over.abort()
  const slowest = await watching
  attacker.kill('SIGTERM')
  await ended
  await wait(3_000)
  const ratio = attacked.p99Ms / quiet.p99Ms
  const failed = [...attacked.failures].map(([status, times]) => `${times} × ${status}`).join(', ')
  const fault =
    failed !== ''
      ? `the client got ${failed}`
      : ratio > mostRatio
        ? `the client's p99 rose to ${ratio.toFixed(1)} times its baseline`
        : slowest > latestWebhookSeconds
          ? `a delivery took ${slowest.toFixed(1)} s`
          : undefined
  return {
    row: [
      name,
      quiet.p99Ms.toFixed(1),
      attacked.p99Ms.toFixed(1),
      ratio.toFixed(2),
      attacked.requests,
      failed || 0,
      slowest.toFixed(1)
    ],
    fault: fault && `${name}: ${fault}`
  }
}
