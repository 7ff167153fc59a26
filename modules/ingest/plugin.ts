import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/ingest.ts'
import { handlers } from './handlers.ts'

const ingest: FastifyPluginAsync = async (app) => {
  bindOperations(app, operations, handlers(app))
}

export default ingest
