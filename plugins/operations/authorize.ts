import type { onRequestHookHandler } from 'fastify'
import { checkAuthorization } from '../access/authorization.ts'
import type { Operation } from './table.ts'

/** Rejects a request with an invalid credential, or with a caller that the specification does not allow. */
export const authorize =
  (operation: Operation): onRequestHookHandler =>
  (request, _reply, done) => {
    if (request.refusal !== null) return done(request.refusal)
    checkAuthorization(operation, request.caller)
    done()
  }
