import { getHeapStatistics } from 'node:v8'
import { totalmem } from 'node:os'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { overloaded } from './errors/kinds.ts'

/** What gives out first, and after how many seconds it is worth to try again: connections come back soon, memory does not. */
const reasons = {
  database: { detail: 'Too many requests wait for the database.', retryAfterSeconds: 1 },
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

const limitsOf = ({ config }: FastifyInstance): { maxEventLoopDelay: number; maxHeapUsedBytes: number; maxRssBytes: number } => {
  const { loopDelayMs, memoryPercent } = config.overload
  const share = memoryPercent / 100
  return { maxEventLoopDelay: loopDelayMs, maxHeapUsedBytes: getHeapStatistics().heap_size_limit * share, maxRssBytes: containerBytes() * share }
}

/** Refuses requests with 503 before memory or the database's connections run out, so that those under way still end well. */
export default fp(
  async (app) => {
    const refusal = (request: FastifyRequest, reason: Reason): Promise<void> | undefined => {
      if (isAboutHealth(request)) return undefined
      app.metrics.overloaded(reason)
      const { detail, retryAfterSeconds } = reasons[reason]
      return Promise.reject(overloaded(`${detail} Try again soon.`, {}, { 'retry-after': String(retryAfterSeconds) }))
    }
    await app.register(underPressure, {
      ...limitsOf(app),
      pressureHandler: (request, _reply, type) => refusal(request, type === underPressure.TYPE_EVENT_LOOP_DELAY ? 'event_loop' : 'memory')
    })
    const { connections } = app.database
    const most = app.config.overload.databaseWaiting
    if (connections === undefined || most === 0) return
    app.addHook('onRequest', (request, _reply, next) => {
      if (connections().waiting < most) return next()
      const refused = refusal(request, 'database')
      if (refused === undefined) next()
      else refused.catch(next)
    })
  },
  { name: 'overload', dependencies: ['config', 'errors', 'database', 'metrics'] }
)
