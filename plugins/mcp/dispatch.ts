import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressOf } from '../access/addresses.ts'
import { internalError, unavailable } from '../http/errors/kinds.ts'
import { problemBody } from '../http/errors/index.ts'
import { ProblemError } from '../http/errors/problem.ts'
import type { Operation } from '../operations/table.ts'
import { requestOf, type Arguments } from './request.ts'
import { resultOf, type OperationAnswer } from './results.ts'
import type { ToolTemplate } from './template.ts'

/** The request headers that operations receive. The others belong to the MCP transport. */
const handedOn = ['authorization', 'x-api-key', 'user-agent', 'host', 'x-forwarded-host', 'x-forwarded-proto'] as const

const headersOf = (request: FastifyRequest): Record<string, string> => {
  const entries = handedOn.map((name) => [name, request.headers[name]] as const)
  return {
    ...Object.fromEntries(
      entries.filter((entry): entry is [(typeof handedOn)[number], string] => typeof entry[1] === 'string')
    ),
    'x-request-id': request.id
  }
}

const isClosing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'FST_ERR_REOPENED_CLOSE_SERVER'

const asProblem = (error: unknown, tool: string, request: FastifyRequest): ProblemError => {
  if (error instanceof ProblemError) return error
  if (isClosing(error))
    return unavailable(
      'This instance is shutting down. Nothing was done. Retry in 1 second.',
      {},
      { 'retry-after': '1' }
    )
  request.log.error({ err: error, tool }, 'an unexpected error in a tool call')
  return internalError(`Internal server error. Quote request id ${request.id} when you contact the operator.`)
}

/**
 * Calls an operation for a tool through the same route as every HTTP request, with the caller's credential and address. The route alone authorizes,
 * rate-limits, validates and replays.
 *
 * @returns the result for the model, including failures, and the headers of the operation's response.
 */
export const dispatch = async (
  app: FastifyInstance,
  request: FastifyRequest,
  template: ToolTemplate,
  operation: Operation,
  given: Arguments
): Promise<{ result: CallToolResult; headers: OperationAnswer['headers'] }> => {
  let answer: OperationAnswer
  try {
    const { headers, payload, ...target } = requestOf(template, operation, given)
    const response = await app.inject({
      ...target,
      headers: { accept: 'application/json', ...headersOf(request), ...headers },
      remoteAddress: addressOf(request),
      ...(payload === undefined ? {} : { payload })
    })
    answer = { status: response.statusCode, headers: response.headers, text: response.body }
  } catch (error) {
    const problem = asProblem(error, template.name, request)
    answer = {
      status: problem.kind.status,
      headers: problem.headers,
      text: JSON.stringify(problemBody(problem, request.id, app.config.publicUrl ?? ''))
    }
  }
  // Arguments and responses can contain private data and are not logged.
  request.log.info({ tool: template.name, status: answer.status }, 'a tool was called')
  return { result: resultOf(answer, template), headers: answer.headers }
}
