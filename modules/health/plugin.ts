import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/health.ts'
import { handlers } from './handlers.ts'
import { readCheckResults, type CheckResult } from './queries.ts'

const health: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
  const results = async (pick: (result: CheckResult) => number): Promise<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(await readCheckResults(app.database.db)).map(([check, result]) => [check, pick(result)])
    )
  app.metrics.gauge(
    { name: 'atlas_check_ok', help: '1 when a periodic check found all well the last time, else 0.', label: 'check' },
    () => results(({ status }) => (status === 'ok' ? 1 : 0))
  )
  app.metrics.gauge(
    { name: 'atlas_check_timestamp_seconds', help: 'When a periodic check ran last, as Unix time.', label: 'check' },
    () => results(({ at }) => Date.parse(at) / 1000)
  )
}

export default health
