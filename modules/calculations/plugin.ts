import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/calculations.ts'
import { handlers } from './handlers.ts'

const calculations: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
}

export default calculations
