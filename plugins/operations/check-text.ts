import type { FastifyRequest, preHandlerHookHandler } from 'fastify'
import { invalidFields } from '../http/errors/kinds.ts'
import { findTextFaults } from '../http/errors/text-faults.ts'
import type { Operation } from './table.ts'

/** JSON holds such text only as an escape, a form and a URL only percent-encoded. */
const mayHoldFaults = ({ url, rawBody }: FastifyRequest): boolean =>
  url.includes('%') || rawBody?.includes('\\u') === true || rawBody?.includes('%') === true

/** Rejects text that no database can store, in the parts of a request that the operation reads. */
export const checkText =
  ({ schema }: Operation): preHandlerHookHandler =>
  (request, _reply, next) => {
    const read = {
      params: schema.params && request.params,
      query: schema.querystring && request.query,
      body: schema.body && request.body
    }
    const faults = mayHoldFaults(request) ? findTextFaults(read) : []
    if (faults.length > 0) next(invalidFields(faults))
    else next()
  }
