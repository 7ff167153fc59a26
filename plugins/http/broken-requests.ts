import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import fp from 'fastify-plugin'
import { rawProblem, type ErrorSettings } from './errors/index.ts'
import {
  bodyTooLarge,
  expectationFailed,
  headersTooLarge,
  malformedRequest,
  requestTimeout,
  validationFailed
} from './errors/kinds.ts'
import type { ProblemError } from './errors/problem.ts'
import { isResponding, whenEnded } from './open-responses.ts'
import { requestIdOf } from './request-ids.ts'

const problemOf = ({ code }: ConnectionError): ProblemError => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return headersTooLarge('The request headers are larger than 16 KiB. Send fewer or shorter headers.')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return bodyTooLarge('The chunk extensions of the body are larger than 16 KiB. Omit them.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTimeout(
        'The server did not receive the whole request in time. Retry over a faster connection or with a smaller body.'
      )
    default:
      return malformedRequest('The server received data that is not a well-formed HTTP request. Use an HTTP library.')
  }
}

/** The headers and the body of a problem that is the last response of its connection. */
const compose = (problem: ProblemError, requestId: string, config: ErrorSettings) => {
  const { headers, body } = rawProblem(problem, requestId, config)
  return { headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }, body }
}

/** Responds to data that Node cannot parse as a request, and ends the connection, because the start of the next request is unknown. */
export const answerBrokenRequest =
  (config: ErrorSettings) =>
  (error: ConnectionError, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable || isResponding(socket)) {
      socket.destroy()
      return
    }
    const problem = problemOf(error)
    const { status } = problem.kind
    const { headers, body } = compose(problem, requestIdOf({ headers: {} }), config)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
    socket.destroySoon()
  }

/** Sends problems where Node would respond without a body: requests without `Host`, and unsupported expectations. */
export default fp(
  async (app) => {
    app.server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      whenEnded(request, response, () => undefined)
    )
    app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const problem = expectationFailed(
        'This server supports no expectation other than 100-continue. Omit the Expect header.'
      )
      const { headers, body } = compose(problem, requestIdOf(request), app.config)
      response.writeHead(problem.kind.status, headers).end(body)
    })
    app.addHook('onRequest', (request, _reply, next) => {
      if (request.raw.httpVersion !== '1.1' || request.headers.host !== undefined) return next()
      const errors = [{ path: 'headers/host', message: 'is required' }]
      next(validationFailed('The request has no Host header.', { errors }))
    })
  },
  { name: 'broken-requests', dependencies: ['errors', 'response-headers'] }
)
