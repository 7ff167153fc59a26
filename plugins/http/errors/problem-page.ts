import type { FastifyRequest } from 'fastify'
import { prefers } from '../negotiation.ts'
import { escapeHtml, page, prose } from '../pages.ts'
import { slugOf, type ProblemError } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route serves pages, so a browser gets its problems as pages too. Every unknown path does likewise. */
    problemPages?: boolean
  }
}

/** Whether the request is a browser's, which gets a page in place of a problem. Programs on the same routes get the problem. */
export const wantsPage = (request: FastifyRequest): boolean =>
  ['GET', 'HEAD'].includes(request.method) &&
  (request.is404 || request.routeOptions.config.problemPages === true) &&
  prefers(request.headers.accept, ['application/problem+json', 'text/html']) === 'text/html'

/**
 * The page that a browser gets in place of a problem.
 * @param referencePath the path of the API reference; undefined while it is disabled
 */
export const problemPage = (problem: ProblemError, requestId: string, referencePath: string | undefined): string => {
  const { status, code } = problem.kind
  const reference = referencePath === undefined ? '' : ` · <a href="${referencePath}">The API reference</a>`
  return page(
    code,
    `<h1>${status} <code>${escapeHtml(code)}</code></h1>
<p>${prose(problem.detail)}</p>
<p><a href="/errors/${slugOf(code)}">What this error means</a>${reference}</p>
<p><small>Request <code>${escapeHtml(requestId)}</code></small></p>`
  )
}
