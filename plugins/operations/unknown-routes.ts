import type { FastifyInstance, FastifyRequest } from 'fastify'
import { allOperations } from '../../spec/generated/index.ts'
import { unknownPath } from '../http/errors/index.ts'
import { methodNotAllowed } from '../http/errors/kinds.ts'
import type { ProblemError } from '../http/errors/problem.ts'
import { cut } from '../http/errors/validation.ts'
import { nearestPath } from './known-paths.ts'
import { limit } from './limit.ts'
import type { Method, Operation } from './table.ts'

const knownMethods: Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The longest path that a problem repeats. */
const longestPath = 100

const unknownPathOf = (url: string, config: FastifyInstance['config']): ProblemError => {
  const [path = ''] = url.split('?', 1)
  return unknownPath(`The path ${cut(path, longestPath)}`, config, nearestPath(path))
}

/** Rejects unknown paths with 404, and unsupported methods of known paths with 405 and `Allow`. */
export const addUnknownRoutes = (app: FastifyInstance): void => {
  const limitStrangers = limit(app, 'standard')
  app.setNotFoundHandler({ preHandler: limitStrangers }, (request: FastifyRequest, reply) =>
    reply.sendProblem(unknownPathOf(request.url, app.config))
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
