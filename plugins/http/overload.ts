import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { overloaded } from './errors/kinds.ts'
import type { ProblemError } from './errors/problem.ts'

/** What gives out first, and after how many seconds it is worth to try again: a place becomes free soon, memory does not. */
const reasons = {
  requests: { detail: 'Too many requests are under way.', retryAfterSeconds: 1 },
  event_loop: { detail: 'The server has more to compute than it can.', retryAfterSeconds: 2 },
  memory: { detail: 'The server is short of memory.', retryAfterSeconds: 5 }
} as const
type Reason = keyof typeof reasons

/** The memory that the container may use, in bytes; 0 where nothing limits the process below what the machine has. */
const containerBytes = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : 0
}

/** Whoever restarts or routes by the health of a server must not take one that is busy for one that is dead. */
const isAboutHealth = (request: FastifyRequest): boolean => request.routeOptions.config.operation?.group === 'health'

const limitsOf = ({
  config
}: FastifyInstance): { maxEventLoopDelay: number; maxHeapUsedBytes: number; maxRssBytes: number } => {
  const { loopDelayMs, memoryPercent } = config.overload
  const share = memoryPercent / 100
  return {
    maxEventLoopDelay: loopDelayMs,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * share,
    maxRssBytes: containerBytes() * share
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether it counts as one that is being answered. */
    isUnderWay: boolean
  }
}

/**
 * Refuses requests with 503 before memory or the database's connections run out, so that those under way still end well. How many are under way is what
 * counts, and not how many wait for a connection: statements that are sent together or one after the other on a connection wait where the pool does not see it.
 */
export default fp(
  async (app) => {
    const most = app.config.overload.requests
    let underWay = 0
    const refuse = (reason: Reason): ProblemError => {
      app.metrics.overloaded(reason)
      const { detail, retryAfterSeconds } = reasons[reason]
      return overloaded(`${detail} Try again soon.`, {}, { 'retry-after': String(retryAfterSeconds) })
    }
    const leave = (request: FastifyRequest): void => {
      if (request.isUnderWay) underWay -= 1
      request.isUnderWay = false
    }
    app.decorateRequest('isUnderWay', false)
    app.addHook('onRequest', (request, reply, next) => {
      if (underWay >= most && most > 0 && !isAboutHealth(request)) return next(refuse('requests'))
      underWay += 1
      request.isUnderWay = true
      reply.raw.on('close', () => leave(request))
      next()
    })
    // Of requests that a client sent one after the other without waiting, only the first has an answer that Node closes when the client goes away.
    app.addHook('onRequestAbort', (request, done) => {
      leave(request)
      done()
    })
    await app.register(underPressure, {
      ...limitsOf(app),
      pressureHandler: (request, _reply, type) =>
        isAboutHealth(request)
          ? undefined
          : Promise.reject(refuse(type === underPressure.TYPE_EVENT_LOOP_DELAY ? 'event_loop' : 'memory'))
    })
    app.metrics.gauge(
      { name: 'atlas_http_requests_in_flight', help: 'Requests that are being answered.' },
      () => underWay
    )
  },
  { name: 'overload', dependencies: ['config', 'errors', 'metrics'] }
)
