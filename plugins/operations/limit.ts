import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import type { RateLimitClass } from './table.ts'

/** Counts the request against the rate limit of a class. */
export const limit =
  (app: FastifyInstance, rateClass: RateLimitClass): onRequestAsyncHookHandler =>
  async (request, reply) =>
    await app.rateLimiter.take(request, reply, rateClass)
