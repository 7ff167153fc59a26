import type { FastifyInstance, FastifyRequest } from 'fastify'
import { notFound } from '../../plugins/errors/kinds.ts'
import { problemKinds } from '../../plugins/errors/problem.ts'
import { answer, type Answer } from '../../plugins/operations/answer.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations, Specification } from '../../spec/generated/documents.ts'
import { allKinds, describeKind, errorPagePolicy, pageOfAllKinds, pageOfKind } from './error-pages.ts'
import { prefers } from './negotiation.ts'
import { redocPage, swaggerUiPage, type Page } from './pages.ts'
import { isCurrent, readSpecification, type SpecificationFormat } from './specification.ts'

const html = (text: string, policy: string, headers: Record<string, string> = {}): Answer<200, string> =>
  answer(200, text, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy, 'cache-control': 'no-cache', ...headers })

/** For what is a page or JSON as the client prefers. */
const varying = { vary: 'accept', 'cache-control': 'no-cache' }

const prefersJson = (request: FastifyRequest): boolean => prefers(request.headers.accept, ['text/html', 'application/json']) === 'application/json'

/** The document goes out as the text that it is, and not parsed and printed anew. */
const asDocument = (text: string): Specification => text as unknown as Specification

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  const { docsEnabled, publicUrl = '' } = app.config

  const whenEnabled = (path: string): void => {
    if (!docsEnabled) throw notFound(`There is nothing at GET ${path}. The reference lists every path.`)
  }

  const page = (path: string, { html: text, policy }: Page) => {
    whenEnabled(path)
    return html(text, policy)
  }

  const specification = <Body>(path: string, format: SpecificationFormat, ifNoneMatch: string | undefined, bodyOf: (text: string) => Body, headers = {}) => {
    whenEnabled(path)
    const { text, etag } = readSpecification(format)
    const caching = { etag, 'cache-control': 'no-cache' }
    if (isCurrent(ifNoneMatch, etag)) return answer(304, null, caching)
    return answer(200, bodyOf(text), { ...caching, ...headers, 'content-type': `application/${format}; charset=utf-8` })
  }

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
      return specification('/openapi.json', 'json', headers['if-none-match'], asDocument)
    },
    async getOpenapiYaml({ headers }) {
      return specification('/openapi.yaml', 'yaml', headers['if-none-match'], (text) => text)
    },
    async downloadOpenapi({ headers }) {
      return specification('/v1/openapi.json', 'json', headers['if-none-match'], asDocument, {
        'content-disposition': 'attachment; filename="atlas-public-api.openapi.json"'
      })
    },
    async listErrors({ request }) {
      if (!prefersJson(request)) return html(pageOfAllKinds(), errorPagePolicy, varying)
      return answer(200, { errors: allKinds().map((kind) => describeKind(kind, publicUrl)) }, varying)
    },
    async getErrorKind({ params, request }) {
      const kind = problemKinds.get(params.slug)
      if (kind === undefined) throw notFound(`There is no error called ${params.slug}. The list at /errors has them all.`)
      if (!prefersJson(request)) return html(pageOfKind(kind), errorPagePolicy, varying)
      return answer(200, describeKind(kind, publicUrl), varying)
    }
  }
}
