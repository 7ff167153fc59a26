import type { FastifyInstance } from 'fastify'
import { unavailable } from '../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { version } from '../../plugins/version.ts'
import type { operations } from '../../spec/generated/health.ts'
import { readCheckResults } from './queries.ts'

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  async getHealth({ db }) {
    const { config, database, rateLimiter } = app
    const answers = await database.answers()
    const checks = answers && (await database.migrated()) ? await readCheckResults(db) : {}
    const redisStatus = rateLimiter.status()
    const degraded =
      !answers || redisStatus === 'unavailable' || Object.values(checks).some((check) => check.status === 'failed')
    return {
      status: degraded ? 'degraded' : 'ok',
      version,
      environment: config.environment,
      database: { driver: database.driver, status: answers ? 'ok' : 'unavailable' },
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
    if (app.isDraining()) throw unavailable('The server is about to stop.', {}, { 'retry-after': '5' })
    if (!(await database.answers())) throw unavailable('The database does not answer.', {}, { 'retry-after': '1' })
    if (!(await database.migrated()))
      throw unavailable('The database lacks migrations. Run `npm run migrate`.', {}, { 'retry-after': '5' })
    return { status: 'ok' }
  }
})
