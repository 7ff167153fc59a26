import { parse as parseForm } from 'node:querystring'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { malformedJson, unsupportedMediaType } from './errors/kinds.ts'
import type { Operation } from '../operations/table.ts'

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

const mediaTypeOf = (request: FastifyRequest): string | undefined =>
  request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()

type Done = (error: Error | null, body?: unknown) => void

/** Parses JSON with Fastify's parser, which rejects prototype pollution. */
const createJsonReader = (app: FastifyInstance) => {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, text: string, done: Done): void =>
    void parse(request, text, (error: Error | null, value: unknown) => {
      if (error === null) done(null, value)
      else
        done(
          malformedJson(
            text.trim() === ''
              ? 'The body is empty. Send a JSON object.'
              : 'The body is not valid JSON. Check quotes, commas and brackets.'
          )
        )
    })
}

/**
 * Parses a body by the operation's media types. curl sends JSON with the content type of a form by default, so a body that starts like JSON is also parsed as
 * JSON with that content type, and without one.
 */
const createBodyReader = (app: FastifyInstance) => {
  const readJson = createJsonReader(app)
  return (request: FastifyRequest, raw: Buffer, done: Done): void => {
    request.rawBody = raw
    const operation = request.routeOptions.config.operation
    const accepted: readonly string[] = operation?.bodyTypes ?? []
    const mediaType = mediaTypeOf(request)
    const text = raw.toString('utf8')
    const acceptsJson = accepted.includes(json)
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
    done(unsupported(operation))
  }
}

const unsupported = (operation: Operation | undefined) => {
  const types = operation?.bodyTypes ?? []
  return unsupportedMediaType(
    types.length === 0 ? 'This operation accepts no body. Omit the body.' : `Send the body as ${types.join(' or ')}.`
  )
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
