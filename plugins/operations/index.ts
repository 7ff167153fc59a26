import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  RouteShorthandOptions
} from 'fastify'
import fp from 'fastify-plugin'
import { allOperations } from '../../spec/generated/index.ts'
import { authorize } from '../access/authorize.ts'
import { asksNobody, identify } from '../access/identify.ts'
import { methodNotAllowed, notFound } from '../http/errors/kinds.ts'
import { addContentTypes } from '../http/content-types.ts'
import type { Handlers } from './handlers.ts'
import { createRouteHandler, type AnyHandler } from './run.ts'
import type { Method, Operation, OperationTable } from './table.ts'
import { addSchemaCompilers, checkAnswer, markAsForm } from './validation.ts'

const knownMethods: Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** For signing in: the account that the body names, so that guessing at one account is limited whatever else the address does. */
const accountOf = (request: FastifyRequest): string => {
  const email = (request.body as { email?: unknown } | null | undefined)?.email
  return typeof email === 'string' ? email.trim() : ''
}

/** A hook that makes no promise where nothing is waited for. */
const limited =
  (take: (request: FastifyRequest, reply: FastifyReply) => Promise<void> | void): onRequestHookHandler =>
  (request, reply, next) => {
    let waiting
    try {
      waiting = take(request, reply)
    } catch (error) {
      next(error as Error)
      return
    }
    if (waiting === undefined) next()
    else waiting.then(() => next(), next)
  }

/**
 * Who calls, how often, and may it: before the body is read. For signing in the address is counted here, and the address with the account once the
 * body is known, so that neither one account nor many can be tried without end.
 */
const admit = (app: FastifyInstance, operation: Operation): RouteShorthandOptions['onRequest'] => {
  const rateClass = operation.rateLimitClass === 'auth' ? 'standard' : operation.rateLimitClass
  if (asksNobody(operation)) return limited((request, reply) => app.rateLimiter.take(request, reply, rateClass))
  return async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      request.caller = await identify(app, operation, request)
    } catch (error) {
      await app.rateLimiter.take(request, reply, rateClass)
      throw error
    }
    await app.rateLimiter.take(request, reply, rateClass)
    authorize(operation, request.caller)
  }
}

const routeOptions = (app: FastifyInstance, operation: Operation): RouteShorthandOptions => ({
  schema: operation.schema,
  config: { operation },
  onRequest: admit(app, operation),
  ...(operation.rateLimitClass === 'auth'
    ? {
        preValidation: async (request: FastifyRequest, reply: FastifyReply) =>
          app.rateLimiter.take(request, reply, 'auth', accountOf(request))
      }
    : {})
})

/**
 * Binds a group's operations to their handlers: route, schemas, callers, limits, idempotency and the rest of what the specification says.
 * @throws Error at start when a handler is missing, which the compiler has told before.
 */
export const bindOperations = <const Table extends OperationTable>(
  app: FastifyInstance,
  operations: Table,
  handlers: NoInfer<Handlers<Table>>
): void => {
  for (const operation of Object.values<Operation>(operations)) {
    const handler = (handlers as unknown as Record<string, AnyHandler>)[operation.operationId]
    if (handler === undefined) throw new Error(`The operation ${operation.operationId} has no handler.`)
    if (operation.bodyTypes.includes('application/x-www-form-urlencoded') && operation.schema.body !== undefined)
      markAsForm(operation.schema.body)
    app.route({
      ...routeOptions(app, operation),
      method: operation.method,
      url: operation.url,
      handler: createRouteHandler(
        app,
        operation,
        handler,
        app.config.environment === 'production' ? undefined : checkAnswer
      )
    })
  }
}

/** Answers 405 with `Allow` wherever a path of the specification is asked with a method that it does not have. */
const refuseOtherMethods = (app: FastifyInstance): void => {
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
      onRequest: async (request, reply) => {
        await app.rateLimiter.take(request, reply, 'standard')
        throw methodNotAllowed(`This path does not know ${request.method}; it knows ${allow}.`, {}, { allow })
      },
      handler: (_request, reply) => reply.send()
    })
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}

export default fp(
  (app, _options, done) => {
    addContentTypes(app)
    addSchemaCompilers(app)
    const limitStrangers = async (request: FastifyRequest, reply: FastifyReply) =>
      await app.rateLimiter.take(request, reply, 'standard')
    app.setNotFoundHandler({ preHandler: limitStrangers }, (request: FastifyRequest, reply: FastifyReply) =>
      reply.sendProblem(
        notFound(
          `There is nothing at ${request.method} ${request.url.split('?', 1)[0]}. The reference lists every path.`
        )
      )
    )
    refuseOtherMethods(app)
    done()
  },
  { name: 'operations', dependencies: ['auth', 'rate-limit', 'idempotency', 'errors', 'outbox', 'cursors'] }
)
