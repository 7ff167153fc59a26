import type { FastifyInstance, FastifyRequest } from 'fastify'
import { allOperations } from '../../spec/generated/index.ts'
import { unknownPath } from '../http/errors/index.ts'
import { methodNotAllowed } from '../http/errors/kinds.ts'
import { limit } from './limit.ts'
import type { Method, Operation } from './table.ts'

const knownMethods: Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Rejects unknown paths with 404, and unsupported methods of known paths with 405 and `Allow`. */
export const addUnknownRoutes = (app: FastifyInstance): void => {
  const limitStrangers = limit(app, 'standard')
  app.setNotFoundHandler({ preHandler: limitStrangers }, (request: FastifyRequest, reply) =>
    reply.sendProblem(unknownPath(`${request.method} ${request.url.split('?', 1)[0]}`, app.config))
  )
  const methodsByUrl = new Map<string, Set<Method>>()
  for (const { url, method } of Object.values<Operation>(allOperations)) {
    const methods = methodsByUrl.get(url) ?? new Set()
    methodsByUrl.set(url, methods.add(method))
    if (method === 'GET') methods.add('HEAD')
  }
  for (const [url, methods] of methodsByUrl) {
    const allow = [...methods].join(', ')
    app.route({
      method: knownMethods.filter((method) => !methods.has(method)),
      url,
      onRequest: [
        limitStrangers,
        async (request) => {
          throw methodNotAllowed(`This path does not support ${request.method}. It supports ${allow}.`, {}, { allow })
        }
      ],
      handler: (_request, reply) => reply.send()
    })
  }
}
