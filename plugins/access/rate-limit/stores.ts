import { Redis } from 'ioredis'
import { describe, takeToken, type BucketSize, type BucketState, type Taken } from './bucket.ts'

export interface BucketStore {
  take(key: string, size: BucketSize, nowMs: number): Promise<Taken> | Taken
}

const mostRecentBuckets = 100_000

/**
 * Buckets of one process. Bounded: when too many were used recently, those that were not used since the last time are forgotten, which is as good as full.
 */
export const memoryStore = (): BucketStore => {
  let recent = new Map<string, BucketState>()
  let earlier = new Map<string, BucketState>()
  return {
    take(key, size, nowMs) {
      const { state, taken } = takeToken(recent.get(key) ?? earlier.get(key), size, nowMs)
      recent.set(key, state)
      if (recent.size > mostRecentBuckets) {
        earlier = recent
        recent = new Map()
      }
      return taken
    }
  }
}

/** The same arithmetic as `takeToken`, run by Redis so that all instances draw on one bucket in one round trip. */
const takeScript = `
local bucket = redis.call('HMGET', KEYS[1], 't', 'a')
local limit, capacity, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local tokens, at = tonumber(bucket[1]) or capacity, tonumber(bucket[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * limit / window)
local allowed = 0
if tokens >= 1 then tokens = tokens - 1; allowed = 1 end
redis.call('HSET', KEYS[1], 't', tostring(tokens), 'a', math.max(now, at))
redis.call('PEXPIRE', KEYS[1], math.ceil(window * math.max(1, capacity / math.max(limit, 1))) + 1000)
return {allowed, tostring(tokens)}
`

interface RedisWithTake extends Redis {
  takeToken(key: string, limit: number, capacity: number, windowMs: number, nowMs: number): Promise<[number, string]>
}

const answerWithinMs = 250
const connectWithinMs = 2_000

export interface RedisStore extends BucketStore {
  /** Resolves when Redis answers, or it is known that it does not now. */
  settled(): Promise<void>
  status(): 'ok' | 'unavailable'
  close(): void
}

/**
 * Buckets in Redis, shared by all instances. While Redis does not answer, requests are still served, with buckets of this process alone, and
 * `onOutage` is told once an outage.
 */
export const redisStore = (url: string, onOutage: (error: unknown) => void, onRecovery: () => void): RedisStore => {
  const redis = new Redis(url, {
    commandTimeout: answerWithinMs,
    connectTimeout: connectWithinMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(2_000, 50 * times),
    scripts: { takeToken: { lua: takeScript, numberOfKeys: 1 } }
  }) as RedisWithTake
  const fallback = memoryStore()
  let outage = false
  const noteOutage = (error: unknown): void => {
    if (!outage) onOutage(error)
    outage = true
  }
  redis.on('error', noteOutage)
  const settled = new Promise<void>((done) => {
    redis.once('ready', done)
    redis.once('error', () => done())
    setTimeout(done, connectWithinMs).unref()
  })
  return {
    async take(key, size, nowMs) {
      if (redis.status !== 'ready') return await fallback.take(key, size, nowMs)
      try {
        const [allowed, tokens] = await redis.takeToken(
          `atlas:rate:${key}`,
          size.limit,
          size.capacity,
          size.windowMs,
          nowMs
        )
        if (outage) onRecovery()
        outage = false
        return describe(Number(tokens), allowed === 1, size)
      } catch (error) {
        noteOutage(error)
        return await fallback.take(key, size, nowMs)
      }
    },
    settled: () => settled,
    status: () => (redis.status === 'ready' && !outage ? 'ok' : 'unavailable'),
    close: () => redis.disconnect()
  }
}
