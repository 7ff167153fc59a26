import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/insights.ts'
import { handlers } from './handlers.ts'

const insights: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
}

export default insights
