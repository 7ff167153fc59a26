import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { addContentTypes } from '../http/content-types.ts'
import { authorize } from './authorize.ts'
import { checkText } from './check-text.ts'
import type { Handlers } from './handlers.ts'
import { createIdempotency } from './idempotency.ts'
import { identify } from './identify.ts'
import { limit, limitAnonymous } from './limit.ts'
import { createPerform, type AnyHandler } from './perform.ts'
import { respond } from './respond.ts'
import { createSerialisers, type Outcome } from './serialise.ts'
import type { Operation, OperationTable } from './table.ts'
import type { RunTransaction } from './transaction.ts'
import { addUnknownRoutes } from './unknown-routes.ts'
import { createValidator, requestSchemaOf } from './validate.ts'

const emptyOutcome: Outcome = { status: 200, headers: {}, text: undefined }

/** Whether the client asks only for the headers of a GET with an effect, which then must not happen. */
const isPeek = ({ extensions }: Operation, { method }: FastifyRequest): boolean =>
  method === 'HEAD' && extensions?.['x-moves-position'] === true

/** The largest body in bytes, of an operation whose schema does not bound what is in it. */
const bodyLimitOf = ({ extensions }: Operation): { bodyLimit?: number } => {
  const limit = extensions?.['x-body-limit']
  return typeof limit === 'number' ? { bodyLimit: limit } : {}
}

const bindOperation = (
  app: FastifyInstance,
  operation: Operation,
  handler: AnyHandler,
  run: RunTransaction | undefined
): void => {
  const { anonymousRateLimitClass } = operation
  const isSignIn = operation.rateLimitClass === 'auth'
  const serialise = createSerialisers(operation, app.config.environment !== 'production')
  const perform = createIdempotency(app, operation, createPerform(app, operation, handler, serialise, run))
  app.route({
    method: operation.method,
    url: operation.url,
    // A browser gets a problem of such an operation as a page.
    config: { operation, problemPages: operation.extensions?.['x-problem-page'] === true },
    ...bodyLimitOf(operation),
    schema: requestSchemaOf(operation),
    validatorCompiler: createValidator(operation),
    onRequest: [
      identify(app, operation),
      limit(app, isSignIn ? 'standard' : operation.rateLimitClass),
      authorize(operation)
    ],
    // The limit counts by account, which is in the body.
    preValidation: isSignIn ? [limit(app, 'auth')] : [],
    preHandler: [
      checkText(operation),
      ...(anonymousRateLimitClass === undefined ? [] : [limitAnonymous(app, anonymousRateLimitClass)])
    ],
    handler: async (request, reply) =>
      respond(reply, isPeek(operation, request) ? emptyOutcome : await perform(request))
  })
}

/**
 * Binds a group's operations to their handlers. Every request passes the stages in this order: identify, limit, authorize, validate, idempotency,
 * transaction (with the handler and the audit row in it), respond.
 *
 * @param transactions for operations that share a transaction with others.
 * @throws Error at startup when a handler is missing. The compiler reports it earlier.
 */
export const bindOperations = <const Table extends OperationTable>(
  app: FastifyInstance,
  operations: Table,
  handlers: NoInfer<Handlers<Table>>,
  transactions: { readonly [Id in keyof NoInfer<Table>]?: RunTransaction } = {}
): void => {
  for (const [id, operation] of Object.entries<Operation>(operations)) {
    const handler = (handlers as unknown as Record<string, AnyHandler>)[id]
    if (handler === undefined) throw new Error(`The operation ${id} has no handler.`)
    bindOperation(app, operation, handler, (transactions as Record<string, RunTransaction | undefined>)[id])
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}

export default fp(
  async (app) => {
    addContentTypes(app)
    addUnknownRoutes(app)
  },
  { name: 'operations', dependencies: ['access', 'rate-limit', 'idempotency', 'errors', 'outbox', 'cursors'] }
)
