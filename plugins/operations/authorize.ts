import type { onRequestHookHandler } from 'fastify'
import { checkAuthorization } from '../access/authorization.ts'
import type { Operation } from './table.ts'

/** Refuses a request whose credential was refused, or whose caller the specification does not admit to the operation. */
export const authorize =
  (operation: Operation): onRequestHookHandler =>
  (request, _reply, done) => {
    if (request.refusal !== null) return done(request.refusal)
    checkAuthorization(operation, request.caller)
    done()
  }
