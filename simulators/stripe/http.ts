import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Cause, SimulatorContext } from './context.ts'
import { invalidRequest, StripeApiError } from './errors.ts'
import { apiVersion } from './events.ts'
import { applyBefore, takeRequestFault, type RequestFault } from './faults.ts'
import { canonicalForm, formFromJson, parseForm, type FormObject, type FormValue } from './form.ts'
import { render, runIdempotently } from './idempotency.ts'
import { newId } from './identifiers.ts'
import { Params } from './params.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { expand, readExpand } from './expand.ts'

declare module 'fastify' {
  interface FastifyRequest {
    stripeRequestId: string
    stripeFault: RequestFault | undefined
  }
}

/** Adds what all API requests share: parsing, headers, the secret key, faults, error objects. */
export const speakStripe = (api: FastifyInstance, context: SimulatorContext): void => {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    settle(done, () => parseForm(String(body)))
  })
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    settle(done, () => readJson(request.url, String(body)))
  })
  api.decorateRequest('stripeRequestId', '')
  api.decorateRequest('stripeFault', undefined)
  api.addHook('onRequest', async (request, reply) => {
    request.stripeRequestId = newId('req_', 14)
    reply.headers({
      'request-id': request.stripeRequestId,
      'stripe-version': versionOf(request),
      'cache-control': 'no-cache, no-store',
      'content-type': 'application/json'
    })
    requireKey(request, context.secretKey)
    const url = request.url
    // Control routes have no faults, so that a fault can always be removed.
    if (url.startsWith('/simulator/')) return
    request.stripeFault = takeRequestFault(context.faults, request.method, url)
    if (request.stripeFault !== undefined) await applyBefore(request.stripeFault, request, reply)
  })
  api.addHook('onSend', async (request, _reply, payload) => {
    if (request.stripeFault?.kind === 'drop_after') {
      request.raw.socket.destroy()
      // A cut connection may never emit onResponse, and the recorded events must be sent all the same.
      context.wakeDelivery()
    }
    return payload
  })
  api.addHook('onResponse', async () => {
    context.wakeDelivery()
  })
  api.setNotFoundHandler(async (request) => {
    throw new StripeApiError(404, {
      type: 'invalid_request_error',
      message: `Unrecognized request URL (${request.method}: ${request.url.slice(0, 200)}).`
    })
  })
  api.setErrorHandler(async (error, request, reply) => await sendError(context, error, request, reply))
}

const settle = (done: (error: Error | null, body?: unknown) => void, read: () => unknown): void => {
  try {
    done(null, read())
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)))
  }
}

/** Stripe's v1 accepts forms only; the control routes accept JSON too. */
const readJson = (url: string, body: string): FormObject => {
  if (!url.startsWith('/simulator/'))
    throw invalidRequest('This API takes application/x-www-form-urlencoded bodies, not JSON.')
  try {
    return formFromJson(body === '' ? {} : JSON.parse(body))
  } catch (error) {
    throw error instanceof StripeApiError ? error : invalidRequest('The body is not valid JSON.')
  }
}

const sendError = async (
  context: SimulatorContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<string> => {
  if (error instanceof StripeApiError) return await reply.code(error.status).send(render({ error: error.body }))
  const status = statusOf(error)
  if (status !== undefined && error instanceof Error) {
    return await reply.code(status).send(render({ error: { type: 'invalid_request_error', message: error.message } }))
  }
  context.logger?.error({ err: error, requestId: request.stripeRequestId }, 'stripe simulator: unexpected error')
  return await reply.code(500).send(
    render({
      error: {
        type: 'api_error',
        message: `An unexpected error occurred. Your request's id is ${request.stripeRequestId}.`
      }
    })
  )
}

/** The status of Fastify's own 4xx errors, such as a body that is too large. */
const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined
  return error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : undefined
}

const versionOf = (request: FastifyRequest): string => {
  const requested = header(request, 'stripe-version')
  return requested !== undefined && /^\d{4}-\d{2}-\d{2}(\.[a-z]{1,30})?$/.test(requested) ? requested : apiVersion
}

const requireKey = (request: FastifyRequest, secretKey: string): void => {
  const sent = sentKey(header(request, 'authorization'))
  if (sent === undefined) {
    throw new StripeApiError(401, {
      type: 'invalid_request_error',
      message:
        'You did not provide an API key. Provide it in the Authorization header, as Bearer auth ' +
        "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY') or as the user name of Basic auth."
    })
  }
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  if (!timingSafeEqual(digest(sent), digest(secretKey))) {
    const shown = sent.length > 12 ? `${sent.slice(0, 8)}${'*'.repeat(8)}${sent.slice(-4)}` : '********'
    throw new StripeApiError(401, { type: 'invalid_request_error', message: `Invalid API Key provided: ${shown}` })
  }
}

const sentKey = (authorization: string | undefined): string | undefined => {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? []
  if (scheme === undefined || value === undefined) return undefined
  if (scheme.toLowerCase() === 'bearer') return value
  const [user] = Buffer.from(value, 'base64').toString('utf8').split(':')
  return user === '' ? undefined : user
}

export const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The query string, parsed by the same rules as a body. */
export const queryOf = (request: FastifyRequest): Params => {
  const start = request.url.indexOf('?')
  return new Params(start < 0 ? new Map<string, FormValue>() : parseForm(request.url.slice(start + 1)))
}

/** The body, empty when there is none. */
export const bodyOf = (request: FastifyRequest): FormObject =>
  request.body instanceof Map ? (request.body as FormObject) : new Map<string, FormValue>()

/** The route parameter `:name`. */
export const pathParam = (request: FastifyRequest, name: string): string => {
  const value = (request.params as Record<string, string | undefined>)[name]
  return value ?? ''
}

/** Sends an object, expanded as requested. */
export const sendRead = async (
  context: SimulatorContext,
  request: FastifyRequest,
  reply: FastifyReply,
  read: (params: Params) => Promise<object>
): Promise<string> => {
  const params = queryOf(request)
  const paths = readExpand(params)
  const object = await read(params)
  params.done()
  return await reply.send(render(await expand(context.db, object, paths)))
}

/**
 * Carries out a write. `parse` refuses invalid parameters before anything is stored, so that the idempotency key stays unused.
 * The effect that it returns commits together with the key, the events and the response.
 */
export const sendWrite = async (
  context: SimulatorContext,
  request: FastifyRequest,
  reply: FastifyReply,
  parse: (params: Params) => (trx: Trx, cause: Cause) => Promise<object>
): Promise<string> => {
  const body = bodyOf(request)
  const params = new Params(body)
  const paths = readExpand(params)
  const effect = parse(params)
  params.done()
  const key = header(request, 'idempotency-key')
  const requestId = request.stripeRequestId
  const identity = `${request.method} ${request.url} ${canonicalForm(body)}`
  const response = await runIdempotently(
    context,
    { key, requestId, identity },
    async (trx) => await expand(trx, await effect(trx, { requestId, idempotencyKey: key ?? null }), paths)
  )
  if (key !== undefined) reply.header('idempotency-key', key)
  if (response.originalRequestId !== undefined) {
    reply.headers({ 'idempotent-replayed': 'true', 'original-request': response.originalRequestId })
  }
  return await reply.code(response.status).send(response.body)
}
