import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../../config/index.ts'
import { standingHeaders } from '../response-headers.ts'
import { pageHeaders } from '../pages.ts'
import * as kinds from './kinds.ts'
import { problemPage, wantsPage } from './problem-page.ts'
import { ProblemError, slugOf } from './problem.ts'
import { readFieldErrors } from './validation.ts'

type RouteOptions = FastifyRequest['routeOptions']

export type ErrorSettings = Pick<Config, 'publicUrl' | 'environment' | 'docsEnabled'>

/**
 * SQLSTATEs and socket errors of an unavailable database, as opposed to a faulty statement: connection (08), resources such as the disk (53), system (58),
 * cancelled or shutting down (57), lock timeout (55P03), read-only after a failover (25006).
 */
const databaseGone = /^(08|53|58|57|55P03|25006|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/
const databaseGoneText =
  /^timeout expired$|timeout exceeded when trying to connect|Connection terminated|Query read timeout|is not queryable/

const isDatabaseGone = (error: FastifyError): boolean =>
  databaseGone.test(error.code ?? '') || databaseGoneText.test(error.message)

const formType = 'application/x-www-form-urlencoded'

const fromFastify = (
  error: FastifyError,
  { bodyLimit = 0, config }: Partial<RouteOptions>
): ProblemError | undefined => {
  switch (error.code) {
    case 'FST_ERR_VALIDATION': {
      const { errors, total } = readFieldErrors(error, config?.operation?.bodyTypes.includes(formType) === true)
      return kinds.invalidFields(errors, { total })
    }
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return kinds.bodyTooLarge(
        `The body is larger than ${Math.floor(bodyLimit / 1024)} KiB. Send less data per request.`
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return kinds.unsupportedMediaType(
        'The Content-Type of the body is invalid. Send it as Content-Type: application/json.'
      )
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return kinds.validationFailed('Content-Length does not match the body.', {
        errors: [{ path: 'headers/content-length', message: 'must match the body' }]
      })
    case 'FST_ERR_BAD_URL':
      return kinds.validationFailed('The path is not percent-encoded UTF-8. Encode a percent sign as %25.', {
        errors: [{ path: 'path', message: 'must be percent-encoded' }]
      })
    default:
      return undefined
  }
}

/** SQLSTATEs of text that PostgreSQL cannot store: NUL or invalid Unicode. No field of this API needs either. */
const unstorableText = new Set(['22021', '22P05'])

/** Turns a thrown error into a problem. An error that is not meant for the client becomes a 500 without details. */
const toProblem = (error: FastifyError, request: FastifyRequest): ProblemError => {
  if (error instanceof ProblemError) return error
  const known = fromFastify(error, request.routeOptions)
  if (known !== undefined) return known
  if (unstorableText.has(error.code ?? '')) {
    const errors = [{ path: 'request', message: 'must not contain U+0000 or invalid Unicode' }]
    return kinds.validationFailed('The request contains text with U+0000 or invalid Unicode. Remove it.', { errors })
  }
  // The connection of the request, not of the database: a client that disconnects during its upload.
  if (request.raw.readableAborted) return kinds.malformedRequest('The request ended before its body was complete.')
  if (isDatabaseGone(error)) {
    request.log.error({ err: error }, 'the database did not respond')
    return kinds.unavailable('The database is unavailable. Retry in 1 second.', {}, { 'retry-after': '1' })
  }
  request.log.error({ err: error }, 'an unexpected error')
  return kinds.internalError(`Internal server error. Quote request id ${request.id} when you contact the operator.`)
}

export const problemBody = (problem: ProblemError, requestId: string, baseUrl: string) => ({
  type: `${baseUrl}/errors/${slugOf(problem.kind.code)}`,
  title: problem.kind.code,
  status: problem.kind.status,
  detail: problem.detail,
  error: problem.kind.code,
  requestId,
  ...problem.members
})

/** The path of the API reference. */
const referencePath = '/docs'

/**
 * The problem of a path that does not exist. It names the path that was probably meant, or else the reference where it is enabled.
 * @param near the path that was probably meant
 */
export const unknownPath = (
  what: string,
  { docsEnabled, publicUrl = '' }: ErrorSettings,
  near?: string
): ProblemError => {
  const reference = docsEnabled ? ` The reference lists every path: ${publicUrl}${referencePath}` : ''
  return kinds.notFound(`${what} does not exist.${near === undefined ? reference : ` Did you mean ${near}?`}`)
}

/** The headers and the body of a problem for a request that reached no route. */
export const rawProblem = (problem: ProblemError, requestId: string, config: ErrorSettings) => {
  const body = JSON.stringify(problemBody(problem, requestId, config.publicUrl ?? ''))
  const headers = {
    ...standingHeaders(config),
    ...problem.headers,
    'x-request-id': requestId,
    'content-type': 'application/problem+json'
  }
  return { headers, body }
}

/** Responds to requests that cannot be routed, such as a path with invalid percent-encoding. No hook runs for them, so they count against the rate limit here. */
export const answerUnroutable =
  (config: ErrorSettings) =>
  (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const answerWith = (problem: ProblemError): void => {
      const { headers, body } = rawProblem(problem, request.id, config)
      void reply.code(problem.kind.status).headers(headers).send(Buffer.from(body))
    }
    const unroutable = fromFastify(error, {}) ?? unknownPath('This path', config)
    // The request lacks the server's decorations.
    request.caller = null
    const limit = async (): Promise<void> => request.server.rateLimiter.take(request, reply, 'standard')
    limit().then(
      () => answerWith(unroutable),
      (refusal: unknown) => answerWith(refusal instanceof ProblemError ? refusal : unroutable)
    )
  }

declare module 'fastify' {
  interface FastifyReply {
    sendProblem(problem: ProblemError): FastifyReply
  }
}

/** Sends every 4xx and 5xx as RFC 9457 problem+json. */
export default fp(
  async (app) => {
    const baseUrl = app.config.publicUrl ?? ''
    app.decorateReply('sendProblem', function (this: FastifyReply, problem: ProblemError) {
      if (wantsPage(this.request)) {
        return this.code(problem.kind.status)
          .headers({ ...problem.headers, ...pageHeaders, vary: 'accept' })
          .send(problemPage(problem, this.request.id, app.config.docsEnabled ? referencePath : undefined))
      }
      // Clients of the operations with this extension read `message`.
      const hasMessage = this.request.routeOptions.config.operation?.extensions?.['x-problem-message'] === true
      const body = problemBody(problem, this.request.id, baseUrl)
      return this.code(problem.kind.status)
        .headers(problem.headers)
        .type('application/problem+json')
        .serializer((value: unknown) => JSON.stringify(value))
        .send(hasMessage ? { ...body, message: problem.detail } : body)
    })
    app.setErrorHandler<FastifyError>((error, request, reply) => reply.sendProblem(toProblem(error, request)))
  },
  { name: 'errors', dependencies: ['config'] }
)
