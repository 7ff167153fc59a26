import { createHash } from 'node:crypto'
import fastifyRateLimit, { type RateLimitOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { rateLimited } from '../http/errors/kinds.ts'
import type { RateLimit, RateLimitClass } from '../operations/table.ts'
import { addressKey, addressOf } from './addresses.ts'
import { connectRedis } from './redis.ts'

export type RateLimits = Readonly<Record<RateLimitClass, RateLimit>>

/** The maximum number of counters per class in each process. The oldest is dropped when there are more. */
const mostCounters = 100_000

/** The rate limit key of a request: its credential, its user, the ingest secret, or else its address. */
const holderOf = (request: FastifyRequest): string => {
  const { caller } = request
  switch (caller?.kind) {
    case 'partner_key':
    case 'token':
    case 'agent_key':
      return caller.credentialId
    case 'session':
      return `user:${caller.userId}`
    case 'ingest':
      return 'ingest'
    default:
      return `address:${addressKey(addressOf(request))}`
  }
}

/** The key for sign-in: the address and the account in the body, so that password guessing is limited per account. */
const accountKeyOf = (request: FastifyRequest): string => {
  const email = (request.body as { email?: unknown } | null | undefined)?.email
  const account = typeof email === 'string' ? email.trim().toLowerCase() : ''
  return `${holderOf(request)}:${createHash('sha256').update(account).digest('base64url').slice(0, 22)}`
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

/** The limiters of a class: of each credential or address, and of all credentials of a tenant together. */
interface Limiters {
  single: Limiter
  together: Limiter
}

/** How many times the limit of a class all credentials of one tenant have together. Otherwise minting credentials would evade the limits. */
const tenantFactor = 10

const partnerOf = ({ caller }: FastifyRequest): string | null =>
  caller !== null && 'partnerId' in caller ? caller.partnerId : null

/** Creates the limiters of each class, in a separate scope, so that the package decorates nothing else. */
const createLimiters = async (
  app: FastifyInstance,
  rateLimits: RateLimits,
  redis?: Redis
): Promise<Record<RateLimitClass, Limiters>> => {
  const limiters = {} as Record<RateLimitClass, Limiters>
  await app.register(async (scope) => {
    await scope.register(fastifyRateLimit, {
      global: false,
      skipOnError: true,
      ...(redis === undefined ? {} : { redis, nameSpace: 'atlas:rate:' })
    })
    for (const [name, { limit, windowSeconds }] of Object.entries(rateLimits)) {
      const rateClass = name as RateLimitClass
      const limitOf = (request: FastifyRequest): number => {
        const { caller } = request
        const partnerId = partnerOf(request)
        const ofServer = partnerId === null ? undefined : app.config.rateOverrides[partnerId]?.[rateClass]
        const ofPartner = caller !== null && 'rateOverrides' in caller ? caller.rateOverrides[rateClass] : undefined
        return ofServer ?? ofPartner ?? limit
      }
      const options: RateLimitOptions = { timeWindow: windowSeconds * 1000, cache: mostCounters }
      limiters[rateClass] = {
        single: scope.createRateLimit({
          ...options,
          max: limitOf,
          keyGenerator: (request) => `${rateClass}:${rateClass === 'auth' ? accountKeyOf(request) : holderOf(request)}`
        }),
        together: scope.createRateLimit({
          ...options,
          max: (request) => tenantFactor * limitOf(request),
          keyGenerator: (request) => `${rateClass}:tenant:${partnerOf(request)}`
        })
      }
    }
  })
  return limiters
}

/** The package's store in memory reports the latest count to all requests that are counted in the same turn, so that some would be refused too early. */
const oneAfterAnother = <Args extends unknown[], Result>(count: (...args: Args) => Promise<Result>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (...args: Args): Promise<Result> => {
    const next = last.then(() => count(...args))
    last = next.catch(() => undefined)
    return next
  }
}

type Count = Exclude<Awaited<ReturnType<Limiter>>, { isAllowed: true }>

const headersFor = (rateClass: RateLimitClass, { max, remaining, ttl, timeWindow }: Count, nowMs: number) => ({
  'x-ratelimit-limit': String(max),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(Math.ceil((nowMs + ttl) / 1000)),
  'ratelimit-policy': `"${rateClass}";q=${max};w=${timeWindow / 1000}`,
  ratelimit: `"${rateClass}";r=${remaining};t=${Math.ceil(ttl / 1000)}`
})

const describeWindow = (windowMs: number): string =>
  ({ 1_000: 'second', 60_000: 'minute', 3_600_000: 'hour' })[windowMs] ?? `${windowMs / 1000} seconds`

export interface RateLimiter {
  /**
   * Counts one request of a class for its caller, or for its address without a caller. Sets the rate limit headers of the response.
   * @throws ProblemError 429 with Retry-After when the limit is reached.
   */
  take(request: FastifyRequest, reply: FastifyReply, rateClass: RateLimitClass): Promise<void>
  /** Whether Redis is reachable; `off` when it is not configured. */
  status(): 'ok' | 'unavailable' | 'off'
}

declare module 'fastify' {
  interface FastifyInstance {
    rateLimiter: RateLimiter
  }
}

/** Fixed windows by class and credential or address: in Redis for all instances, or in memory while Redis is missing or unavailable. */
export default fp<{ rateLimits: RateLimits }>(
  async (app, { rateLimits }) => {
    const redis = app.config.redisUrl === undefined ? undefined : connectRedis(app.config.redisUrl, app.log)
    const own = await createLimiters(app, rateLimits)
    const shared = redis && (await createLimiters(app, rateLimits, redis.client))
    if (redis !== undefined) {
      // Otherwise only this instance would count the first requests.
      app.addHook('onReady', () => redis.settled)
      app.addHook('onClose', () => redis.client.disconnect())
    }
    const countInMemory = oneAfterAnother(
      async (request: FastifyRequest, rateClass: RateLimitClass, which: keyof Limiters) =>
        await own[rateClass][which](request)
    )
    const count = async (request: FastifyRequest, rateClass: RateLimitClass, which: keyof Limiters): Promise<Count> => {
      const counted =
        shared !== undefined && redis?.isReady() === true ? await shared[rateClass][which](request) : undefined
      // The package reports a `ttl` of 0 when Redis failed.
      const isCounted = counted !== undefined && (counted as Count).ttl > 0
      return (isCounted ? counted : await countInMemory(request, rateClass, which)) as Count
    }
    app.decorate('rateLimiter', {
      async take(request, reply, rateClass) {
        const hasTenant = partnerOf(request) !== null
        const [single, together] = await Promise.all([
          count(request, rateClass, 'single'),
          hasTenant ? count(request, rateClass, 'together') : undefined
        ])
        const isTenantExceeded = !single.isExceeded && together?.isExceeded === true
        const counted = isTenantExceeded ? together : single
        reply.headers(headersFor(rateClass, counted, app.clock.now().getTime()))
        if (!counted.isExceeded) return
        app.metrics.rateLimited(rateClass)
        const seconds = Math.max(1, counted.ttlInSeconds)
        throw rateLimited(
          `The limit of ${counted.max} requests per ${describeWindow(counted.timeWindow)}${isTenantExceeded ? ' for all credentials together' : ''} is reached. Retry in ${seconds} second${seconds === 1 ? '' : 's'}.`,
          {},
          { 'retry-after': String(seconds) }
        )
      },
      status: () => (redis === undefined ? 'off' : redis.isReady() ? 'ok' : 'unavailable')
    })
  },
  { name: 'rate-limit', dependencies: ['config', 'clock', 'access', 'metrics'] }
)
