import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/health.ts'
import { handlers } from './handlers.ts'
import { readCheckResults, type CheckResult } from './queries.ts'

const health: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
  const readResults = async (valueOf: (result: CheckResult) => number): Promise<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(await readCheckResults(app.database.db)).map(([check, result]) => [check, valueOf(result)])
    )
  app.metrics.gauge(
    {
      name: 'atlas_check_ok',
      help: '1 when the last run of a periodic check passed, 0 when it failed.',
      label: 'check'
    },
    () => readResults(({ status }) => (status === 'ok' ? 1 : 0))
  )
  app.metrics.gauge(
    { name: 'atlas_check_timestamp_seconds', help: 'Unix time of the last run of a periodic check.', label: 'check' },
    () => readResults(({ at }) => Date.parse(at) / 1000)
  )
}

export default health
