import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { resolveCaller } from '../access/callers.ts'
import { invalidFields, methodNotAllowed } from '../http/errors/kinds.ts'
import { boundFaultOf } from '../http/errors/json-bounds.ts'
import type { Operation } from '../operations/table.ts'
import { hostGuard } from './hosts.ts'
import type { OperationAnswer } from './results.ts'
import { createServer } from './server.ts'

const path = '/mcp'

/** Each message may be a whole request to an operation. */
const mostMessages = 20

/** The endpoint accepts every credential. Each operation decides whether it accepts the caller's. */
const admitted: Pick<Operation, 'security'> = {
  security: [['PartnerKey'], ['PersonalAccessToken'], ['BearerJWT'], ['AgentKey']]
}

const rateLimitHeader = /^(x-ratelimit-|ratelimit)/

const bothTypes = 'application/json, text/event-stream'

const acceptsJson = ({ headers: { accept } }: FastifyRequest): boolean =>
  accept === undefined || /(?:application\/json|application\/\*|\*\/\*)/i.test(accept)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Message = { method?: unknown } | null | undefined

/** The body as text, without the byte order mark that the SDK does not read either. */
const textIn = ({ body }: FastifyRequest): string => (typeof body === 'string' ? body.replace(/^\ufeff/, '') : '')

/**
 * How many requests the messages count as before they are processed: one each. A single tool call counts as none here: its operation counts it, or
 * `answerMessages` does when it reached no operation.
 */
const requestsToPay = (messages: Message[]): number =>
  messages.length === 1 && messages[0]?.method === 'tools/call' ? 0 : messages.length

/**
 * The messages of a body: one, or those of a batch. An invalid body counts as one.
 * @throws ProblemError 400 for a body that is nested too deeply or has too many values or messages.
 */
const messagesOf = (text: string): Message[] => {
  const fault = boundFaultOf(text)
  if (fault !== undefined) throw invalidFields([{ path: 'body', message: fault }])
  const messages = [parse(text)].flat() as Message[]
  if (messages.length > mostMessages)
    throw invalidFields([{ path: 'body', message: `must not have more than ${mostMessages} messages` }])
  return messages
}

/**
 * The request in the form that the SDK reads. The body is not parsed here, so that the SDK reports its faults in the protocol's format. The SDK refuses
 * clients that do not also accept event streams, which this server never sends.
 */
const webRequest = (request: FastifyRequest, text: string): Request => {
  const headers = Object.entries(request.headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string'
  )
  return new Request(`http://localhost${path}`, {
    method: 'POST',
    headers: { ...Object.fromEntries(headers), ...(acceptsJson(request) ? { accept: bothTypes } : {}) },
    body: text
  })
}

const answerMessages = (app: FastifyInstance) => async (request: FastifyRequest, reply: FastifyReply) => {
  const copyLimits = (headers: OperationAnswer['headers']): void => {
    for (const [name, value] of Object.entries(headers)) if (rateLimitHeader.test(name)) reply.header(name, value)
  }
  const text = textIn(request)
  const messages = messagesOf(text)
  for (let left = requestsToPay(messages); left > 0; left -= 1) await app.rateLimiter.take(request, reply, 'standard')
  const server = createServer(app, request, copyLimits)
  // Stateless, with JSON responses: any instance can serve any request.
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  try {
    await server.connect(transport)
    const response = await transport.handleRequest(webRequest(request, text))
    if (!reply.hasHeader('x-ratelimit-limit')) await app.rateLimiter.take(request, reply, 'standard')
    reply.code(response.status)
    const type = response.headers.get('content-type')
    if (type !== null) reply.type(type)
    return await reply.send(await response.text())
  } finally {
    await server.close()
  }
}

/** Serves the tools of the Model Context Protocol at /mcp (streamable HTTP). */
export default fp(
  async (app) => {
    const guard = hostGuard(app.config)
    const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      try {
        guard(request)
        request.caller = await resolveCaller(app, admitted, request)
      } catch (error) {
        await app.rateLimiter.take(request, reply, 'standard')
        throw error
      }
    }
    await app.register(async (scope) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
      scope.route({ method: 'POST', url: path, onRequest: admit, handler: answerMessages(app) })
      scope.route({
        method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
        url: path,
        onRequest: admit,
        handler: async (request, reply) => {
          await app.rateLimiter.take(request, reply, 'standard')
          throw methodNotAllowed(
            'This endpoint has no sessions and no streams. Send each message with POST and read its response.',
            {},
            { allow: 'POST' }
          )
        }
      })
    })
  },
  { name: 'mcp', dependencies: ['operations', 'access', 'rate-limit', 'errors', 'config'] }
)
