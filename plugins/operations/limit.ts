import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import type { RateLimitClass } from './table.ts'

/** Counts the request against the rate limit of a class. */
export const limit =
  (app: FastifyInstance, rateClass: RateLimitClass): onRequestAsyncHookHandler =>
  async (request, reply) =>
    await app.rateLimiter.take(request, reply, rateClass)

/** Counts a request without a caller against the rate limit of a class. */
export const limitAnonymous =
  (app: FastifyInstance, rateClass: RateLimitClass): onRequestAsyncHookHandler =>
  async (request, reply) => {
    if (request.caller === null) await app.rateLimiter.take(request, reply, rateClass)
  }
