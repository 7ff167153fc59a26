import type { FastifyPluginAsync } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/documents.ts'
import { serveAssets } from './assets.ts'
import { handlers } from './handlers.ts'
import { errorPagePolicy, pageOfProblem } from './error-pages.ts'
import { prefers } from './negotiation.ts'

const documents: FastifyPluginAsync = async (app) => {
  // Who follows an error's link in a browser reads a page there too when the link is wrong; programs get the problem.
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
      .send(pageOfProblem(error))
  })
  await serveAssets(app)
  bindOperations(app, operations, handlers(app))
  app.route({
    method: 'GET',
    url: '/',
    onRequest: async (request, reply) => await app.rateLimiter.take(request, reply, 'standard'),
    handler: (_request, reply) => {
      if (!app.config.docsEnabled) throw notFound('There is nothing at GET /. The reference lists every path.')
      return reply.redirect('/docs', 302)
    }
  })
}

export default documents
