import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { schemaOutdated } from '../http/errors/kinds.ts'

const checkIntervalMs = 1_000

const isLiveness = (request: FastifyRequest): boolean =>
  request.routeOptions.config.operation?.operationId === 'getLiveness'

/** Answers everything but the liveness check with 503 while migrations of this version have not run. */
export default fp(
  async (app) => {
    // Unknown until the database has responded once. Requests then meet its own error.
    let isCurrent: boolean | undefined
    let checkedAt = -Infinity
    const check = async (): Promise<void> => {
      if (performance.now() - checkedAt < checkIntervalMs) return
      checkedAt = performance.now()
      isCurrent = await app.database.migrated().catch(() => undefined)
      if (isCurrent === false) app.log.error('the database schema is outdated; run `npm run migrate`')
    }
    app.addHook('onRequest', async (request) => {
      if (isCurrent === true || isLiveness(request)) return
      await check()
      if (isCurrent === false)
        throw schemaOutdated('The database schema is outdated. Run `npm run migrate`.', {}, { 'retry-after': '5' })
    })
    app.addHook('onReady', check)
  },
  { name: 'schema-check', dependencies: ['database', 'errors'] }
)
