import type { FastifyRequest, preHandlerHookHandler } from 'fastify'
import { invalidFields } from '../http/errors/kinds.ts'
import { findTextFaults } from '../http/errors/text-faults.ts'

/** JSON holds such text only as an escape, a form and a URL only percent-encoded. */
const mayHoldFaults = ({ url, rawBody }: FastifyRequest): boolean =>
  url.includes('%') || rawBody?.includes('\\u') === true || rawBody?.includes('%') === true

/** Rejects text that no database can store. */
export const checkText: preHandlerHookHandler = (request, _reply, next) => {
  const faults = mayHoldFaults(request) ? findTextFaults(request) : []
  if (faults.length > 0) next(invalidFields(faults))
  else next()
}
