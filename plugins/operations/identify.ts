import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import { resolveCaller, type Admission } from '../access/callers.ts'
import { ProblemError } from '../http/errors/problem.ts'

/** Finds out who calls. A refused credential still counts against its address's limit, so the refusal is left for `authorize` to throw. */
export const identify =
  (app: FastifyInstance, admission: Admission): onRequestAsyncHookHandler =>
  async (request) => {
    try {
      request.caller = await resolveCaller(app, admission, request)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      request.refusal = error
    }
  }
