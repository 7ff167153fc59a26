import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { createThreads, spareProcessors } from '../../plugins/threads.ts'
import { operations } from '../../spec/generated/insights.ts'
import type { Accuracy } from './accuracy.ts'
import type { AccuracyTask, ForecastOutcome, ForecastTask } from './forecast-thread.ts'
import { createForecasts } from './forecasts.ts'
import { handlers } from './handlers.ts'
import { forgetOldForecasts } from './kept-forecast.ts'

const hourMs = 3_600_000

const insights: FastifyPluginAsync = async (app) => {
  const program = import.meta.resolve('./forecast-thread.ts')
  const threads = createThreads<ForecastTask | AccuracyTask, ForecastOutcome | Accuracy>(program, spareProcessors)
  app.addHook('onClose', () => threads.close())
  app.jobs.every('forget old forecasts', hourMs, () => forgetOldForecasts(app.database.db, app.clock.now()))
  bindOperations(app, operations, handlers(app, createForecasts(threads)))
}

export default insights
