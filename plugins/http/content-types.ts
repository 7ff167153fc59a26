import { isUtf8 } from 'node:buffer'
import { parse as parseForm } from 'node:querystring'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { boundFaultOf } from './errors/json-bounds.ts'
import { describeJsonFault } from './errors/json-syntax.ts'
import { invalidFields, malformedJson, unsupportedMediaType } from './errors/kinds.ts'
import type { ProblemError } from './errors/problem.ts'
import type { Operation } from '../operations/table.ts'

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

const mediaTypeOf = ({ headers }: FastifyRequest): string | undefined =>
  headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()

const isJsonType = (mediaType: string): boolean => mediaType === json || /^application\/[^/]+\+json$/.test(mediaType)

/** The bytes that a form encodes. */
const percentDecoded = (raw: Buffer): Buffer =>
  Buffer.from(
    raw
      .toString('latin1')
      .replaceAll(/%([0-9a-f]{2})/gi, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1'
  )

/** Why the bytes of a body cannot be read as text: compression, another character set, or invalid UTF-8. */
const encodingFaultOf = (request: FastifyRequest, raw: Buffer): ProblemError | undefined => {
  const { headers } = request
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity')
    return unsupportedMediaType('This server reads no compressed bodies. Send the body without Content-Encoding.')
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase() ?? 'utf-8'
  if (!['utf-8', 'utf8', 'us-ascii'].includes(charset))
    return unsupportedMediaType('Send the body in UTF-8, and leave out the charset or set it to utf-8.')
  return isUtf8(mediaTypeOf(request) === form ? percentDecoded(raw) : raw)
    ? undefined
    : malformedJson('The body is not valid UTF-8. Encode it as UTF-8.')
}

type Done = (error: Error | null, body?: unknown) => void

/** Parses JSON with Fastify's parser, which rejects prototype pollution. */
const createJsonReader = (app: FastifyInstance) => {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, text: string, done: Done): void => {
    const fault = boundFaultOf(text)
    if (fault !== undefined) return done(invalidFields([{ path: 'body', message: fault }]))
    void parse(request, text, (error: Error | null, value: unknown) =>
      error === null ? done(null, value) : done(malformedJson(describeJsonFault(text)))
    )
  }
}

/**
 * Parses a body by the operation's media types. curl sends JSON with the content type of a form by default, so a body that starts like JSON is also parsed as
 * JSON with that content type, and without one.
 */
const createBodyReader = (app: FastifyInstance) => {
  const readJson = createJsonReader(app)
  return (request: FastifyRequest, raw: Buffer, done: Done): void => {
    request.rawBody = raw
    const fault = encodingFaultOf(request, raw)
    if (fault !== undefined) return done(fault)
    const operation = request.routeOptions.config.operation
    const accepted: readonly string[] = operation?.bodyTypes ?? []
    const mediaType = mediaTypeOf(request)
    const text = raw.toString('utf8')
    const acceptsJson = accepted.includes(json)
    const isOptional = operation?.bodyRequired === false
    if (isOptional && text === '' && (mediaType === undefined || isJsonType(mediaType))) return done(null)
    if (mediaType === undefined || mediaType === form) {
      const looksLikeJson = /^\s*[{[]/.test(text)
      if (acceptsJson && (looksLikeJson || (mediaType === undefined && text === '')))
        return text === '' ? done(null) : readJson(request, text, done)
      if (mediaType === form && accepted.includes(form)) return done(null, parseForm(text, '&', '=', { maxKeys: 0 }))
    }
    if (mediaType !== undefined && accepted.includes(mediaType))
      return mediaType === json ? readJson(request, text, done) : done(null, text)
    // Many clients send an empty object instead of no body.
    if (accepted.length === 0 && (text === '' || (mediaType === json && /^\s*\{\s*\}\s*$/.test(text))))
      return done(null)
    done(unsupported(operation, mediaType))
  }
}

/** A media type from a request that a response may repeat. */
const plainType = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/

const sentAs = (mediaType: string | undefined): string => {
  if (mediaType === undefined) return 'The body has no Content-Type'
  return plainType.test(mediaType) ? `The body was sent as ${mediaType}` : 'The Content-Type of the body is invalid'
}

const unsupported = (operation: Operation | undefined, mediaType: string | undefined) => {
  const types = operation?.bodyTypes ?? []
  if (types.length === 0) return unsupportedMediaType('This operation accepts no body. Omit the body.')
  return unsupportedMediaType(`${sentAs(mediaType)}. Send it as Content-Type: ${types.join(' or ')}.`)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The unparsed body, for signatures and to compare retries. */
    rawBody: Buffer | undefined
  }
}

/** Parses every body by the media types of its operation; others get 415. */
export const addContentTypes = (app: FastifyInstance): void => {
  app.decorateRequest('rawBody', undefined)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, createBodyReader(app))
}
