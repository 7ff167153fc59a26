import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/admin.ts'
import { handlers } from './handlers.ts'

const admin: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
}

export default admin
