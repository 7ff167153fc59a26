import type { FastifyBaseLogger } from 'fastify'
import { Redis } from 'ioredis'

const responseLimitMs = 250
const connectLimitMs = 2_000

export interface RedisConnection {
  client: Redis
  /** Resolves when the first connection succeeds or fails. */
  settled: Promise<void>
  isReady(): boolean
}

/** Connects to Redis in the background. While Redis is unreachable, commands fail at once. Logs each outage once. */
export const connectRedis = (url: string, log: Pick<FastifyBaseLogger, 'error' | 'info'>): RedisConnection => {
  const client = new Redis(url, {
    commandTimeout: responseLimitMs,
    connectTimeout: connectLimitMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(2_000, 50 * times)
  })
  let isAway = false
  client.on('error', (error) => {
    if (!isAway)
      log.error({ err: error }, 'Redis is not reachable; each instance counts rate limits for itself until it is')
    isAway = true
  })
  client.on('ready', () => {
    if (isAway) log.info('Redis is reachable again; instances share rate limits')
    isAway = false
  })
  const settled = new Promise<void>((resolve) => {
    client.once('ready', resolve)
    client.once('error', () => resolve())
    setTimeout(resolve, connectLimitMs).unref()
  })
  return { client, settled, isReady: () => client.status === 'ready' }
}
