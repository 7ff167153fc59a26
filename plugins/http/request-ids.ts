import type { IncomingMessage } from 'node:http'
import { randomText } from '../ids.ts'

const wellFormed = /^(req_[A-Za-z0-9]{1,64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i

/** Returns the client's request id if it is a UUID or `req_` with 1 to 64 letters and digits, else a new one. */
export const requestIdOf = (request: Pick<IncomingMessage, 'headers'>): string => {
  const sent = request.headers['x-request-id']
  return typeof sent === 'string' && wellFormed.test(sent) ? sent : `req_${randomText(20)}`
}
