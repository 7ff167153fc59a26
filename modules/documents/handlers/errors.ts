import type { FastifyInstance, FastifyRequest } from 'fastify'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { problemKinds } from '../../../plugins/http/errors/problem.ts'
import { prefers } from '../../../plugins/http/negotiation.ts'
import { pagePolicy } from '../../../plugins/http/pages.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { operations } from '../../../spec/generated/documents.ts'
import { errorListPage, errorListPolicy, errorPage, findKinds } from '../error-pages.ts'
import { html } from '../html.ts'
import { toErrorKind } from '../wire.ts'

const { listErrors, getErrorKind } = operations

/** The pages of errors; problems in production link to them, so they do not depend on `ATLAS_DOCS_ENABLED`. */
export const errorOperations = { listErrors, getErrorKind }

/** Headers of a response whose media type depends on `Accept`. */
const varying = { vary: 'accept', 'cache-control': 'no-cache' }

const prefersJson = ({ headers }: FastifyRequest): boolean =>
  prefers(headers.accept, ['text/html', 'application/json']) === 'application/json'

export const errorHandlers = ({
  config: { publicUrl = '' }
}: Pick<FastifyInstance, 'config'>): Handlers<typeof errorOperations> => ({
  async listErrors({ query: { q = '' }, request }) {
    if (!prefersJson(request)) return html(errorListPage(q), errorListPolicy, varying)
    return answer(200, { errors: findKinds(q).map((kind) => toErrorKind(kind, publicUrl)) }, varying)
  },
  async getErrorKind({ params, request }) {
    const kind = problemKinds.get(params.slug)
    if (kind === undefined) throw notFound(`No error is called ${params.slug}. See /errors for the list.`)
    if (!prefersJson(request)) return html(errorPage(kind, publicUrl), pagePolicy(), varying)
    return answer(200, toErrorKind(kind, publicUrl), varying)
  }
})
