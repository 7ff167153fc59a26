import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { overloaded } from './errors/kinds.ts'
import type { ProblemError } from './errors/problem.ts'
import { whenEnded } from './open-responses.ts'

/** Causes of overload, and after how many seconds a retry can succeed. */
const reasons = {
  requests: { detail: 'Too many requests are in progress.', retryAfterSeconds: 1 },
  bodies: { detail: 'Too much data of unfinished requests is in memory.', retryAfterSeconds: 2 },
  event_loop: { detail: 'The CPU of the server is overloaded.', retryAfterSeconds: 2 },
  memory: { detail: 'The server is low on memory.', retryAfterSeconds: 5 }
} as const
type Reason = keyof typeof reasons

/** Counts a refusal and returns its problem. */
export const refuseOverload = ({ metrics }: Pick<FastifyInstance, 'metrics'>, reason: Reason): ProblemError => {
  metrics.overloaded(reason)
  const { detail, retryAfterSeconds } = reasons[reason]
  const retry = `Retry in ${retryAfterSeconds} second${retryAfterSeconds === 1 ? '' : 's'}.`
  return overloaded(`${detail} ${retry}`, {}, { 'retry-after': String(retryAfterSeconds) })
}

/** The memory limit of the container in bytes; 0 without a limit below the memory of the machine. */
const containerBytes = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : 0
}

/** Health checks bypass the limits: an orchestrator must not restart a server because it is busy. */
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
    /** Whether the request counts as in progress. */
    isUnderWay: boolean
  }
}

/**
 * Rejects requests with 503 before memory or database connections run out, so that requests in progress can complete. Counts requests in progress, not
 * requests that wait for a connection: the pool cannot see statements that are pipelined on a shared connection.
 */
export default fp(
  async (app) => {
    const most = app.config.overload.requests
    let underWay = 0
    const refuse = (reason: Reason): ProblemError => refuseOverload(app, reason)
    const isFull = (request: FastifyRequest): boolean => most > 0 && underWay >= most && !isAboutHealth(request)
    const leave = (request: FastifyRequest): void => {
      if (request.isUnderWay) underWay -= 1
      request.isUnderWay = false
    }
    const enter = (request: FastifyRequest, done: HookHandlerDoneFunction): void => {
      if (isFull(request)) return done(refuse('requests'))
      underWay += 1
      request.isUnderWay = true
      done()
    }
    app.decorateRequest('isUnderWay', false)
    app.addHook('onRequest', (request, reply, done) => {
      whenEnded(request.raw, reply.raw, () => leave(request))
      enter(request, done)
    })
    // A body that is still being received costs neither CPU nor a database connection.
    app.addHook('preParsing', (request, _reply, payload, done) => {
      if (!request.raw.complete) leave(request)
      done(null, payload)
    })
    app.addHook('preValidation', (request, _reply, done) => (request.isUnderWay ? done() : enter(request, done)))
    await app.register(underPressure, {
      ...limitsOf(app),
      pressureHandler: (request, _reply, type) =>
        isAboutHealth(request)
          ? undefined
          : Promise.reject(refuse(type === underPressure.TYPE_EVENT_LOOP_DELAY ? 'event_loop' : 'memory'))
    })
    app.metrics.gauge({ name: 'atlas_http_requests_in_flight', help: 'Requests in progress.' }, () => underWay)
  },
  { name: 'overload', dependencies: ['config', 'errors', 'metrics'] }
)
