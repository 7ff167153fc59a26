import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import type { RateLimitClass } from './table.ts'

/** Counts the request against the limit of its class, whoever sent it. */
export const limit =
  (app: FastifyInstance, rateClass: RateLimitClass): onRequestAsyncHookHandler =>
  async (request, reply) =>
    await app.rateLimiter.take(request, reply, rateClass)
