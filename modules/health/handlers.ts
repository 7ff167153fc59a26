import type { FastifyInstance } from 'fastify'
import { unavailable } from '../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { version } from '../../plugins/version.ts'
import type { operations } from '../../spec/generated/health.ts'
import { readCheckResults } from './queries.ts'

type Dependencies = Pick<FastifyInstance, 'config' | 'database' | 'isDraining' | 'rateLimiter'>

export const handlers = (app: Dependencies): Handlers<typeof operations> => ({
  async getHealth({ db }) {
    const { config, database, rateLimiter } = app
    const isUp = await database.answers()
    const checks = isUp ? await readCheckResults(db) : {}
    const redisStatus = rateLimiter.status()
    const isDegraded =
      !isUp || redisStatus === 'unavailable' || Object.values(checks).some((check) => check.status === 'failed')
    return {
      status: isDegraded ? 'degraded' : 'ok',
      version,
      environment: config.environment,
      database: { driver: database.driver, status: isUp ? 'ok' : 'unavailable' },
      plaid: { configured: config.plaid.mode !== 'not_configured', mode: config.plaid.mode },
      stripe: { configured: config.stripe.mode !== 'not_configured', mode: config.stripe.mode },
      ingest: { configured: config.ingestSecret !== undefined },
      redis: { configured: config.redisUrl !== undefined, status: redisStatus },
      checks
    }
  },

  async getLiveness() {
    return { status: 'ok' }
  },

  async getReadiness() {
    const { database } = app
    if (app.isDraining())
      throw unavailable('The server is shutting down. Retry in 5 seconds.', {}, { 'retry-after': '5' })
    if (!(await database.answers()))
      throw unavailable('The database is unavailable. Retry in 1 second.', {}, { 'retry-after': '1' })
    return { status: 'ok' }
  }
})
