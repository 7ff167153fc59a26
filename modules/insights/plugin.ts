import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { createThreads, spareProcessors } from '../../plugins/threads.ts'
import { operations } from '../../spec/generated/insights.ts'
import type { ForecastOutcome, ForecastTask } from './forecast-thread.ts'
import { createForecasts } from './forecasts.ts'
import { handlers } from './handlers.ts'

const insights: FastifyPluginAsync = async (app) => {
  const program = import.meta.resolve('./forecast-thread.ts')
  const threads = createThreads<ForecastTask, ForecastOutcome>(program, spareProcessors)
  app.addHook('onClose', () => threads.close())
  bindOperations(app, operations, handlers(app, createForecasts(threads)))
}

export default insights
