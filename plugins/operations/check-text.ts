import type { FastifyRequest, preHandlerHookHandler } from 'fastify'
import { invalidFields } from '../http/errors/kinds.ts'
import { findTextFaults } from '../http/errors/text-faults.ts'
import type { Operation } from './table.ts'

/** How JSON, a form or a URL writes what is looked for. A pair of surrogates in escapes looks like a fault here, too. */
const signs = ['\\u0000', '\\ud', '\\uD', '%00']

const mayHoldFaults = ({ url, rawBody }: FastifyRequest): boolean =>
  signs.some((sign) => url.includes(sign) || rawBody?.includes(sign) === true)

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
