import { invalidFields } from '../http/errors/kinds.ts'
import { problemKinds, slugOf } from '../http/errors/problem.ts'
import type { FieldError } from '../http/errors/validation.ts'
import type { ArgumentPlace, ToolTemplate } from './template.ts'

type Problem = Record<string, unknown>

/** A `validation_failed` for faulty arguments. @param total how many there are, when `found` has fewer */
export const invalidArguments = (found: FieldError[], total: number) =>
  invalidFields(found, { total, whole: 'call', part: 'argument' })

/** The parts of an HTTP request, by the first segment of a field's path. */
const placeOf: Record<string, ArgumentPlace['in']> = {
  params: 'path',
  query: 'query',
  headers: 'header',
  body: 'body'
}

/** `headers/if-match` → `arguments/if_match`. */
const inArguments = (path: string, { places }: ToolTemplate): string => {
  const [part = '', name, ...inner] = path.split('/')
  const place = placeOf[part]
  if (place === undefined) return path
  if (name === undefined) return 'arguments'
  const [argument = name] =
    Object.entries(places).find(
      ([, candidate]) => candidate.in === place && candidate.name.toLowerCase() === name.toLowerCase()
    ) ?? []
  return ['arguments', argument, ...inner].join('/')
}

/** Names of headers, which a tool has as arguments or as members of its result. */
const headers: [RegExp, string][] = [
  [/If-Match/g, 'if_match'],
  [/Idempotency-Key/g, 'idempotency_key'],
  [/Retry-After/g, 'retryAfterSeconds']
]

const withoutHeaders = (text: string): string =>
  headers.reduce((changed, [header, argument]) => changed.replace(header, argument), text)

const detailOf = (detail: string, errors: FieldError[]): string => {
  const total = /^The request has (\d+) invalid field/.exec(detail)?.[1]
  if (total !== undefined) return invalidArguments(errors, Number(total)).detail
  return withoutHeaders(detail.replace(/^The body /, 'The arguments '))
}

/** Words a problem of an operation for the model that called its tool: by arguments instead of the parts of an HTTP request, and with the cure. */
export const toToolProblem = (problem: Problem, template: ToolTemplate): Problem => {
  const cure = problemKinds.get(slugOf(String(problem['error'])))?.cure
  const errors = Array.isArray(problem['errors'])
    ? (problem['errors'] as FieldError[]).map((error) => ({ ...error, path: inArguments(error.path, template) }))
    : undefined
  return {
    ...problem,
    detail: detailOf(String(problem['detail']), errors ?? []),
    ...(errors === undefined ? {} : { errors }),
    ...(cure === undefined ? {} : { cure: withoutHeaders(cure) })
  }
}
