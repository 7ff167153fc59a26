import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from '../caller.ts'
import { rateLimited } from '../../http/errors/kinds.ts'
import type { RateLimit, RateLimitClass } from '../../operations/table.ts'
import type { HeaderList } from '../../http/response-headers.ts'
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

/** What applies to a caller and a class, with what the headers say of it. */
interface Rule extends BucketSize {
  rateClass: RateLimitClass
  limitText: string
  policyText: string
}

const ruleOf = (rateClass: RateLimitClass, ceiling: number, burst: number, windowSeconds: number): Rule => ({
  rateClass,
  limit: ceiling,
  capacity: Math.max(burst, ceiling),
  windowMs: windowSeconds * 1000,
  limitText: String(ceiling),
  policyText: `"${rateClass}";q=${ceiling};w=${windowSeconds}`
})

/** The rules of all classes; those that nobody made exceptions of are the same objects each time. */
const createRules = (
  app: FastifyInstance,
  rateLimits: RateLimits
): ((rateClass: RateLimitClass, caller: Caller | null) => Rule) => {
  const usual = Object.fromEntries(
    Object.entries(rateLimits).map(([name, { limit, windowSeconds }]) => [
      name,
      ruleOf(name as RateLimitClass, limit, limit, windowSeconds)
    ])
  ) as Record<RateLimitClass, Rule>
  return (rateClass, caller) => {
    const partnerId = caller !== null && 'partnerId' in caller ? caller.partnerId : null
    const ofEnvironment = partnerId === null ? undefined : app.config.rateOverrides[partnerId]?.[rateClass]
    const ofPartner = caller !== null && 'rateOverrides' in caller ? caller.rateOverrides[rateClass] : undefined
    const override = ofEnvironment ?? ofPartner
    if (override === undefined) return usual[rateClass]
    const { ceiling, burst = ceiling } = typeof override === 'number' ? { ceiling: override } : override
    return ruleOf(rateClass, ceiling, burst, rateLimits[rateClass].windowSeconds)
  }
}

const headersFor = (rule: Rule, { remaining, fullInMs }: Taken, nowMs: number): HeaderList => [
  'x-ratelimit-limit',
  rule.limitText,
  'x-ratelimit-remaining',
  String(remaining),
  'x-ratelimit-reset',
  String(Math.ceil((nowMs + fullInMs) / 1000)),
  'ratelimit-policy',
  rule.policyText,
  'ratelimit',
  `"${rule.rateClass}";r=${remaining};t=${Math.ceil(fullInMs / 1000)}`
]

const describeWindow = (windowMs: number): string =>
  windowMs === 1000 ? 'second' : windowMs === 60_000 ? 'minute' : `${windowMs / 1000} seconds`

export interface RateLimiter {
  /**
   * Takes one request of a class from its caller's bucket (or, without a caller, from its address's) and notes the headers that tell what is left.
   * @param account for signing in: the account that is tried, which narrows the bucket to this address and account.
   * @returns a promise only where it has to ask Redis.
   * @throws ProblemError 429 with Retry-After when the bucket is empty.
   */
  take(request: FastifyRequest, reply: FastifyReply, rateClass: RateLimitClass, account?: string): Promise<void> | void
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
            (error) =>
              app.log.error(
                { err: error },
                'Redis does not answer: rate limits are kept by each instance for itself until it does'
              ),
            () => app.log.info('Redis answers again: rate limits are shared')
          )
    const store: BucketStore = redis ?? memoryStore()
    if (redis !== undefined) {
      // Else what comes first would be counted by this instance alone.
      app.addHook('onReady', () => redis.settled())
      app.addHook('onClose', () => redis.close())
    }
    const ruleFor = createRules(app, rateLimits)
    const settle = (reply: FastifyReply, rule: Rule, taken: Taken, nowMs: number): void => {
      reply.rateLimitHeaders = headersFor(rule, taken, nowMs)
      if (taken.allowed) return
      app.metrics.rateLimited(rule.rateClass)
      const seconds = Math.max(1, Math.ceil(taken.nextInMs / 1000))
      throw rateLimited(
        `The limit of ${rule.limit} requests per ${describeWindow(rule.windowMs)} is used up. Try again in ${seconds} second${seconds === 1 ? '' : 's'}.`,
        {},
        { 'retry-after': String(seconds) }
      )
    }
    app.decorate('rateLimiter', {
      take(request, reply, rateClass, account) {
        const rule = ruleFor(rateClass, request.caller)
        const nowMs = app.clock.now().getTime()
        const suffix =
          account === undefined
            ? ''
            : `:${createHash('sha256').update(account.toLowerCase()).digest('base64url').slice(0, 22)}`
        const taken = store.take(`${rateClass}:${holderOf(request.caller, request.ip)}${suffix}`, rule, nowMs)
        if (!(taken instanceof Promise)) return settle(reply, rule, taken, nowMs)
        return taken.then((answered) => settle(reply, rule, answered, nowMs))
      },
      status: () => redis?.status() ?? 'off'
    })
    done()
  },
  { name: 'rate-limit', dependencies: ['config', 'clock', 'auth', 'metrics', 'response-headers'] }
)
