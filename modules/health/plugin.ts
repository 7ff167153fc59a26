import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/health.ts'
import { handlers } from './handlers.ts'

const health: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
}

export default health
