import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { resolveCaller } from '../access/callers.ts'
import { methodNotAllowed } from '../http/errors/kinds.ts'
import type { Operation } from '../operations/table.ts'
import { hostGuard } from './hosts.ts'
import type { OperationAnswer } from './results.ts'
import { createServer } from './server.ts'

const path = '/mcp'

/** Whoever holds a key or is signed in; which tools that allows is each operation's to say. */
const admitted: Pick<Operation, 'security'> = {
  security: [['PartnerKey'], ['PersonalAccessToken'], ['BearerJWT'], ['AgentKey']]
}

const rateLimitHeader = /^(x-ratelimit-|ratelimit)/

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * How many requests a body is worth before it is worked on: one for each message, but none for a tool call that comes alone, which its operation counts, or
 * when it reaches none, the end. Of several nobody knows before how many will reach one.
 */
const messagesToPay = (body: unknown): number => {
  const messages = [typeof body === 'string' ? parse(body) : undefined].flat() as (
    { method?: unknown } | null | undefined
  )[]
  return messages.length === 1 && messages[0]?.method === 'tools/call' ? 0 : messages.length
}

/** The request in the form that the SDK reads; the body is handed on as it came, so that what is wrong with it is told as the protocol wants it. */
const webRequest = (request: FastifyRequest): Request => {
  const headers = Object.entries(request.headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string'
  )
  return new Request(`http://localhost${path}`, {
    method: 'POST',
    headers,
    body: typeof request.body === 'string' ? request.body : ''
  })
}

const answerMessages = (app: FastifyInstance) => async (request: FastifyRequest, reply: FastifyReply) => {
  const tellLimits = (headers: OperationAnswer['headers']): void => {
    const told = Object.entries(headers).filter(([name]) => rateLimitHeader.test(name))
    for (const [name, value] of told) reply.header(name, value)
  }
  for (let left = messagesToPay(request.body); left > 0; left -= 1)
    await app.rateLimiter.take(request, reply, 'standard')
  const server = createServer(app, request, tellLimits)
  // Without a session and with JSON for an answer, all instances are alike and nothing outlives the request.
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
  try {
    await server.connect(transport)
    const response = await transport.handleRequest(webRequest(request))
    if (!reply.hasHeader('x-ratelimit-limit')) await app.rateLimiter.take(request, reply, 'standard')
    reply.code(response.status)
    const type = response.headers.get('content-type')
    if (type !== null) reply.type(type)
    return await reply.send(await response.text())
  } finally {
    await server.close()
  }
}

/** The tools of the Model Context Protocol at /mcp (streamable HTTP). */
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
            'There are no sessions and no streams here: send each message with POST and read its answer.',
            {},
            { allow: 'POST' }
          )
        }
      })
    })
  },
  { name: 'mcp', dependencies: ['operations', 'access', 'rate-limit', 'errors', 'config'] }
)
