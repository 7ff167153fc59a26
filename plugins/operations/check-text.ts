import type { FastifyRequest, preHandlerHookHandler } from 'fastify'
import { invalidFields } from '../http/errors/kinds.ts'
import { findTextFaults } from '../http/errors/text-faults.ts'
import type { Operation } from './table.ts'

/** JSON holds such text only as an escape, a form and a URL only percent-encoded. */
const mayHoldFaults = ({ url, rawBody }: FastifyRequest): boolean =>
  url.includes('%') || rawBody?.includes('\\u') === true || rawBody?.includes('%') === true

/** Rejects text that no database can store, in the parts of a request that the operation reads. */
export const checkText =
  ({ schema, extensions }: Operation): preHandlerHookHandler =>
  (request, _reply, next) => {
    const read = {
      params: schema.params && request.params,
      query: schema.querystring && request.query,
      // Another service signed the body. Its handler accepts what it does not know, or the service would send it again.
      body: extensions?.['x-signed-by'] === undefined && schema.body ? request.body : undefined
    }
    const faults = mayHoldFaults(request) ? findTextFaults(read) : []
    if (faults.length > 0) next(invalidFields(faults))
    else next()
  }
