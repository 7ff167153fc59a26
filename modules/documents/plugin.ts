import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { errorHandlers, errorOperations } from './handlers/errors.ts'
import { disabledReference, reference } from './reference.ts'

const documents: FastifyPluginAsync = async (app) => {
  // A browser that follows a wrong link gets a page; programs get the problem.
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, problemPages: true }
  })
  bindOperations(app, errorOperations, errorHandlers(app))
  await app.register(app.config.docsEnabled ? reference : disabledReference)
}

export default documents
