import type { FastifyInstance, FastifyRequest } from 'fastify'
import { allOperations } from '../../spec/generated/index.ts'
import { methodNotAllowed, notFound } from '../http/errors/kinds.ts'
import type { ProblemError } from '../http/errors/problem.ts'
import { cut } from '../http/errors/validation.ts'
import { nearestPath } from './known-paths.ts'
import { limit } from './limit.ts'
import type { Method, Operation } from './table.ts'

const knownMethods: Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The longest path that a problem repeats. */
const longestPath = 100

/** The 404 of a path that the specification does not have, with the one that was probably meant. */
export const unknownPath = (url: string): ProblemError => {
  const [path = ''] = url.split('?', 1)
  const near = nearestPath(path)
  const advice = near === undefined ? 'The reference lists every path.' : `Did you mean ${near}?`
  return notFound(`The path ${cut(path, longestPath)} does not exist. ${advice}`)
}

/** Rejects unknown paths with 404, and unsupported methods of known paths with 405 and `Allow`. */
export const addUnknownRoutes = (app: FastifyInstance): void => {
  const limitStrangers = limit(app, 'standard')
  app.setNotFoundHandler({ preHandler: limitStrangers }, (request: FastifyRequest, reply) =>
    reply.sendProblem(unknownPath(request.url))
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
