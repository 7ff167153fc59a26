import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import { resolveCaller } from '../access/callers.ts'
import type { Admission } from '../access/credential-kinds.ts'
import { ProblemError } from '../http/errors/problem.ts'

/** Identifies the caller. A rejected credential counts against the rate limit of its address, so `authorize` throws the error later. */
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
