import type { FastifyInstance, FastifyRequest } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { problemKinds } from '../../plugins/http/errors/problem.ts'
import { answer, type Answer } from '../../plugins/operations/answer.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type {
  operations,
  PostmanCollection,
  PostmanEnvironment,
  Specification
} from '../../spec/generated/documents.ts'
import { allKinds, describeKind, errorPagePolicy, pageOfAllKinds, pageOfKind } from './error-pages.ts'
import { prefers } from './negotiation.ts'
import { redocPage, swaggerUiPage, type Page } from './pages.ts'
import { readPostmanCollection, readPostmanEnvironment, readSpecification } from './specification.ts'
import { isCurrent, type StaticText } from './static-text.ts'

const html = (text: string, policy: string, headers: Record<string, string> = {}): Answer<200, string> =>
  answer(200, text, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'no-cache',
    ...headers
  })

/** For what is a page or JSON as the client prefers. */
const varying = { vary: 'accept', 'cache-control': 'no-cache' }

const prefersJson = (request: FastifyRequest): boolean =>
  prefers(request.headers.accept, ['text/html', 'application/json']) === 'application/json'

/** A JSON document goes out as the text that it is, and not parsed and printed anew. */
const asDocument = <Document>(text: string): Document => text as unknown as Document

/** The header that makes a browser save an answer under a name. */
const savedAs = (name: string) => ({ 'content-disposition': `attachment; filename="atlas-public-api.${name}.json"` })

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  const { docsEnabled, publicUrl = '' } = app.config

  const whenEnabled = (path: string): void => {
    if (!docsEnabled) throw notFound(`There is nothing at GET ${path}. The reference lists every path.`)
  }

  const page = (path: string, { html: text, policy }: Page) => {
    whenEnabled(path)
    return html(text, policy)
  }

  const file = <Body>(
    ifNoneMatch: string | undefined,
    document: StaticText,
    bodyOf: (text: string) => Body,
    headers = {},
    format = 'json'
  ) => {
    const caching = { etag: document.etag, 'cache-control': 'no-cache' }
    if (isCurrent(ifNoneMatch, document)) return answer(304, null, caching)
    return answer(200, bodyOf(document.text), {
      ...caching,
      ...headers,
      'content-type': `application/${format}; charset=utf-8`
    })
  }

  /** Where this client reaches the server: the public address, or the one that it asked. */
  const addressFor = ({ protocol, host }: FastifyRequest): string => publicUrl || `${protocol}://${host}`

  return {
    async getSwaggerUi() {
      return page('/docs', swaggerUiPage)
    },
    async getRedoc() {
      return page('/redoc', redocPage)
    },
    async getReference() {
      return page('/v1/docs', redocPage)
    },
    async getOpenapiJson({ headers }) {
      whenEnabled('/openapi.json')
      return file(headers['if-none-match'], readSpecification('json'), asDocument<Specification>)
    },
    async getOpenapiYaml({ headers }) {
      whenEnabled('/openapi.yaml')
      return file(headers['if-none-match'], readSpecification('yaml'), (text) => text, {}, 'yaml')
    },
    async downloadOpenapi({ headers }) {
      whenEnabled('/v1/openapi.json')
      return file(headers['if-none-match'], readSpecification('json'), asDocument<Specification>, savedAs('openapi'))
    },
    async downloadPostmanCollection({ headers }) {
      whenEnabled('/v1/postman_collection.json')
      return file(
        headers['if-none-match'],
        readPostmanCollection(),
        asDocument<PostmanCollection>,
        savedAs('postman_collection')
      )
    },
    async downloadPostmanEnvironment({ headers, request }) {
      whenEnabled('/v1/postman_environment.json')
      return file(
        headers['if-none-match'],
        readPostmanEnvironment(addressFor(request)),
        asDocument<PostmanEnvironment>,
        savedAs('postman_environment')
      )
    },
    async listErrors({ request }) {
      if (!prefersJson(request)) return html(pageOfAllKinds(), errorPagePolicy, varying)
      return answer(200, { errors: allKinds().map((kind) => describeKind(kind, publicUrl)) }, varying)
    },
    async getErrorKind({ params, request }) {
      const kind = problemKinds.get(params.slug)
      if (kind === undefined)
        throw notFound(`There is no error called ${params.slug}. The list at /errors has them all.`)
      if (!prefersJson(request)) return html(pageOfKind(kind), errorPagePolicy, varying)
      return answer(200, describeKind(kind, publicUrl), varying)
    }
  }
}
