import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'
import { operations } from '../../spec/generated/documents.ts'
import { contentPolicy } from './content-policy.ts'
import { swaggerTheme } from './swagger-theme.ts'

const { getSwaggerUi, getOpenapiJson, getOpenapiYaml } = operations
const assets = `${getSwaggerUi.url}/static/`

/** Swagger UI, whose Try it out sends requests to this server. */
export const swaggerUi: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', (route) => {
    if (route.url === getSwaggerUi.url) route.config = { ...route.config, operation: getSwaggerUi }
  })
  // The package would print the whole specification anew, which blocks the event loop.
  app.addHook('onRequest', async (request, reply) => {
    const [path] = request.url.split('?', 1)
    if (path === `${getSwaggerUi.url}/json`) return reply.redirect(getOpenapiJson.url)
    if (path === `${getSwaggerUi.url}/yaml`) return reply.redirect(getOpenapiYaml.url)
  })
  app.addHook('onSend', async (request, reply) => {
    if (reply.statusCode >= 400) return
    reply.header('cache-control', request.url.startsWith(assets) ? 'public, max-age=3600' : 'no-cache')
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: getSwaggerUi.url,
    staticCSP: contentPolicy({}),
    theme: swaggerTheme,
    uiConfig: {
      layout: 'BaseLayout',
      displayRequestDuration: true,
      tryItOutEnabled: true,
      docExpansion: 'none',
      defaultModelsExpandDepth: 0,
      filter: true
    }
  })
}
