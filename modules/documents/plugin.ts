import type { FastifyPluginAsync } from 'fastify'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { bindOperations } from '../../plugins/operations/index.ts'
import { errorPagePolicy, problemPage } from './error-pages.ts'
import { errorHandlers, errorOperations } from './handlers/errors.ts'
import { prefers } from './negotiation.ts'
import { disabledReference, reference } from './reference.ts'

const documents: FastifyPluginAsync = async (app) => {
  // A browser that follows a wrong link gets a page; programs get the problem.
  app.setErrorHandler((error, request, reply) => {
    if (
      !(error instanceof ProblemError) ||
      prefers(request.headers.accept, ['application/problem+json', 'text/html']) !== 'text/html'
    )
      throw error
    return reply
      .code(error.kind.status)
      .headers({ ...error.headers, 'content-security-policy': errorPagePolicy })
      .type('text/html; charset=utf-8')
      .send(problemPage(error))
  })
  bindOperations(app, errorOperations, errorHandlers(app))
  await app.register(app.config.docsEnabled ? reference : disabledReference)
}

export default documents
