import type { FastifyInstance, FastifyRequest } from 'fastify'
import { malformedJson, unsupportedMediaType } from '../errors/kinds.ts'
import type { Operation } from './table.ts'

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

const mediaTypeOf = (request: FastifyRequest): string | undefined => request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()

const parseJson = (app: FastifyInstance, request: FastifyRequest, text: string): Promise<unknown> =>
  new Promise((done, failed) => {
    const parse = app.getDefaultJsonParser('error', 'error')
    void parse(request, text, (error: Error | null, value: unknown) => {
      if (error === null) done(value)
      else failed(malformedJson(text.trim() === '' ? 'The body is empty; send a JSON object.' : 'The body is not valid JSON.'))
    })
  })

const parseForm = (text: string): Record<string, string | string[]> => {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name]
    fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return fields
}

/**
 * Reads a body as the operation's media types say. Examples with curl's default content type send JSON under the name of a form, so a body that begins
 * like a JSON object is read as one also under that name, and under none.
 */
const readBody = async (app: FastifyInstance, request: FastifyRequest, raw: Buffer): Promise<unknown> => {
  request.rawBody = raw
  const operation = request.routeOptions.config.operation
  const accepted: readonly string[] = operation?.bodyTypes ?? []
  const mediaType = mediaTypeOf(request)
  const text = raw.toString('utf8')
  const looksLikeJson = /^\s*[{[]/.test(text)
  const acceptsJson = accepted.includes(json)
  if (mediaType === undefined || mediaType === form) {
    if (acceptsJson && (looksLikeJson || (mediaType === undefined && text === ''))) return text === '' ? undefined : await parseJson(app, request, text)
    if (mediaType === form && accepted.includes(form)) return parseForm(text)
  }
  if (mediaType !== undefined && accepted.includes(mediaType)) return mediaType === json ? await parseJson(app, request, text) : text
  // Many clients send an empty object where there is nothing to send.
  if (accepted.length === 0 && (text === '' || (mediaType === json && /^\s*\{\s*\}\s*$/.test(text)))) return undefined
  throw unsupported(operation)
}

const unsupported = (operation: Operation | undefined) => {
  const types = operation?.bodyTypes ?? []
  return unsupportedMediaType(types.length === 0 ? 'This operation takes no body.' : `Send the body as ${types.join(' or ')}.`)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, for signatures and for comparing retries. */
    rawBody: Buffer | undefined
  }
}

/** Reads every body through one parser that knows what the operation takes; what it does not take is 415. */
export const addContentTypes = (app: FastifyInstance): void => {
  app.decorateRequest('rawBody', undefined)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, body: string | Buffer) => await readBody(app, request, Buffer.from(body)))
}
