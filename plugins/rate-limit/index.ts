import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from '../auth/caller.ts'
import { rateLimited } from '../errors/kinds.ts'
import type { RateLimit, RateLimitClass } from '../operations/table.ts'
import type { BucketSize, Taken } from './bucket.ts'
import { memoryStore, redisStore, type BucketStore } from './stores.ts'

export type RateLimits = Readonly<Record<RateLimitClass, RateLimit>>

const holderOf = (caller: Caller | null, address: string): string => {
  switch (caller?.kind) {
    case 'partner_key':
    case 'token':
    case 'agent_key':
      return caller.credentialId
    case 'session':
      return `user:${caller.userId}`
    default:
      return `address:${address}`
  }
}

const sizeFor = (app: FastifyInstance, rateLimits: RateLimits, rateClass: RateLimitClass, caller: Caller | null): BucketSize => {
  const { limit, windowSeconds } = rateLimits[rateClass]
  const partnerId = caller !== null && 'partnerId' in caller ? caller.partnerId : null
  const ofEnvironment = partnerId === null ? undefined : app.config.rateOverrides[partnerId]?.[rateClass]
  const ofPartner = caller !== null && 'rateOverrides' in caller ? caller.rateOverrides[rateClass] : undefined
  const override = ofEnvironment ?? ofPartner
  const ceiling = typeof override === 'number' ? override : (override?.ceiling ?? limit)
  const burst = typeof override === 'object' ? override.burst : undefined
  return { limit: ceiling, capacity: Math.max(burst ?? ceiling, ceiling), windowMs: windowSeconds * 1000 }
}

const writeHeaders = (reply: FastifyReply, rateClass: RateLimitClass, size: BucketSize, taken: Taken, nowMs: number): void => {
  reply.headers({
    'x-ratelimit-limit': size.limit,
    'x-ratelimit-remaining': taken.remaining,
    'x-ratelimit-reset': Math.ceil((nowMs + taken.fullInMs) / 1000),
    'ratelimit-policy': `"${rateClass}";q=${size.limit};w=${size.windowMs / 1000}`,
    ratelimit: `"${rateClass}";r=${taken.remaining};t=${Math.ceil(taken.fullInMs / 1000)}`
  })
}

const describeWindow = (windowMs: number): string => (windowMs === 1000 ? 'second' : windowMs === 60_000 ? 'minute' : `${windowMs / 1000} seconds`)

export interface RateLimiter {
  /**
   * Takes one request of a class from its caller's bucket (or, without a caller, from its address's) and writes the headers that tell what is left.
   * @param account for signing in: the account that is tried, which narrows the bucket to this address and account.
   * @throws ProblemError 429 with Retry-After when the bucket is empty.
   */
  take(request: FastifyRequest, reply: FastifyReply, rateClass: RateLimitClass, account?: string): Promise<void>
  status(): 'ok' | 'unavailable' | 'off'
}

declare module 'fastify' {
  interface FastifyInstance {
    rateLimiter: RateLimiter
  }
}

/** Token buckets by credential or address and class; in memory, or in Redis for all instances. */
export default fp<{ rateLimits: RateLimits }>(
  (app, { rateLimits }, done) => {
    const { redisUrl } = app.config
    const redis =
      redisUrl === undefined
        ? undefined
        : redisStore(
            redisUrl,
            (error) => app.log.error({ err: error }, 'Redis does not answer: rate limits are kept by each instance for itself until it does'),
            () => app.log.info('Redis answers again: rate limits are shared')
          )
    const store: BucketStore = redis ?? memoryStore()
    if (redis !== undefined) app.addHook('onClose', () => redis.close())
    app.decorate('rateLimiter', {
      async take(request, reply, rateClass, account) {
        const size = sizeFor(app, rateLimits, rateClass, request.caller)
        const nowMs = app.clock.now().getTime()
        const suffix = account === undefined ? '' : `:${createHash('sha256').update(account.toLowerCase()).digest('base64url').slice(0, 22)}`
        const taken = await store.take(`${rateClass}:${holderOf(request.caller, request.ip)}${suffix}`, size, nowMs)
        writeHeaders(reply, rateClass, size, taken, nowMs)
        if (taken.allowed) return
        app.metrics.rateLimited(rateClass)
        const seconds = Math.max(1, Math.ceil(taken.nextInMs / 1000))
        throw rateLimited(
          `The limit of ${size.limit} requests per ${describeWindow(size.windowMs)} is used up. Try again in ${seconds} second${seconds === 1 ? '' : 's'}.`,
          {},
          { 'retry-after': String(seconds) }
        )
      },
      status: () => redis?.status() ?? 'off'
    })
    done()
  },
  { name: 'rate-limit', dependencies: ['config', 'clock', 'auth', 'metrics'] }
)
