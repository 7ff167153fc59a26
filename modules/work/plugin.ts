import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/work.ts'
import { projectHandlers } from './handlers/projects.ts'
import { taskHandlers } from './handlers/tasks.ts'

const work: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, { ...projectHandlers(app), ...taskHandlers(app) })
}

export default work
