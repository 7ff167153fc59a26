import { dirname } from 'node:path'
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { bindOperations } from '../../plugins/operations/index.ts'
import { createThreads } from '../../plugins/threads.ts'
import { operations } from '../../spec/generated/documents.ts'
import type { Download } from './download-thread.ts'
import { referenceHandlers, referenceOperations } from './handlers/reference.ts'
import { redocBundlePath, sendRedocBundle } from './redoc.ts'
import { specificationPath } from './specification.ts'
import type { StaticText } from './static-text.ts'
import { swaggerUi } from './swagger-ui.ts'

/** Counts a request to a route without a bound operation against the standard rate limit. */
const limit = (app: FastifyInstance) => async (request: FastifyRequest, reply: FastifyReply) =>
  await app.rateLimiter.take(request, reply, 'standard')

/** The pages and files that browsers load. */
const pages: FastifyPluginAsync = async (app) => {
  app.addHook('onRequest', limit(app))
  await app.register(swaggerUi)
  app.get(redocBundlePath, sendRedocBundle)
  app.get('/', (_request, reply) => reply.redirect('/docs', 302))
}

/** The API reference: Swagger UI, Redoc, the specification and the Postman files. */
export const reference: FastifyPluginAsync = async (app) => {
  await app.register(swagger, {
    mode: 'static',
    specification: { path: specificationPath, baseDir: dirname(specificationPath) }
  })
  const threads = createThreads<Download, StaticText>(import.meta.resolve('./download-thread.ts'), 1)
  app.addHook('onClose', () => threads.close())
  bindOperations(
    app,
    referenceOperations,
    referenceHandlers(app, (name) => threads.run(name))
  )
  await app.register(pages)
}

/** Stands in for the reference while it is disabled: all its paths return 404. */
export const disabledReference: FastifyPluginAsync = async (app) => {
  app.addHook('onRequest', limit(app))
  const urls = [operations.getSwaggerUi, ...Object.values(referenceOperations)].map(({ url }) => url)
  for (const url of [...urls, '/', '/docs/*']) {
    app.get(url, async () => {
      throw notFound('The API reference is disabled on this server. Set ATLAS_DOCS_ENABLED=true to enable it.')
    })
  }
}
