import { nearestName } from '../http/errors/nearest.ts'
import { cut, mostNamed, type FieldError } from '../http/errors/validation.ts'
import type { Operation } from '../operations/table.ts'
import { invalidArguments } from './problems.ts'
import type { ArgumentPlace, ToolTemplate } from './template.ts'

export type Arguments = Readonly<Record<string, unknown>>

/** The HTTP request to an operation for a tool call. */
export interface OperationRequest {
  method: Operation['method']
  url: string
  headers: Record<string, string>
  payload: string | undefined
}

/** Text for a path, query or header value. The operation's schema rejects values of other types. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** An empty or dotted segment would resolve to the path of another operation, and half of a surrogate pair has no percent-encoding. */
const isSegment = (value: unknown): boolean => !/^\.{0,2}$|\p{Surrogate}/u.test(textOf(value))

/** The longest name of an argument that a problem repeats. */
const longestName = 100

const unknownArgument = (name: string, known: string[]): FieldError => {
  const near = nearestName(name, known)
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`
  return { path: `arguments/${cut(name, longestName)}`, message: `is not an argument of this tool${hint}` }
}

/** The first faults, and how many there are. */
const faultsOf = ({ places }: ToolTemplate, given: Arguments): { errors: FieldError[]; total: number } => {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(places, name))
  const missing = Object.entries(places)
    .filter(
      ([name, place]) => place.in !== 'body' && place.required && (given[name] === undefined || given[name] === null)
    )
    .map(([name]) => ({ path: `arguments/${name}`, message: 'is required' }))
  const misleading = Object.entries(places)
    .filter(
      ([name, place]) =>
        place.in === 'path' && given[name] !== undefined && given[name] !== null && !isSegment(given[name])
    )
    .map(([name]) => ({ path: `arguments/${name}`, message: 'must be an id, not empty and not only dots' }))
  const named = unknown.slice(0, mostNamed).map((name) => unknownArgument(name, Object.keys(places)))
  return {
    errors: [...named, ...missing, ...misleading],
    total: unknown.length + missing.length + misleading.length
  }
}

/**
 * Turns a tool's arguments into its operation's request. Rejects only what the operation could not detect: unknown names and missing or invalid path
 * segments. The operation validates the rest. Members of the body have the specification's order, so that the same arguments produce the same bytes
 * under an idempotency key.
 *
 * @throws ProblemError 400 that lists each invalid argument.
 */
export const requestOf = (template: ToolTemplate, operation: Operation, given: Arguments): OperationRequest => {
  const { errors, total } = faultsOf(template, given)
  if (total > 0) throw invalidArguments(errors, total)
  const values: Arguments = { ...template.defaults, ...given }
  // Null means omitted, except in a body.
  const sent = Object.entries(template.places).filter(
    ([name, place]) => values[name] !== undefined && (place.in === 'body' || values[name] !== null)
  )
  const inPlace = (kind: ArgumentPlace['in']): [string, unknown][] =>
    sent.filter(([, place]) => place.in === kind).map(([name, place]) => [place.name, values[name]])
  const path = inPlace('path').reduce(
    (url, [name, value]) => url.replace(`{${name}}`, encodeURIComponent(textOf(value))),
    operation.path
  )
  const query = new URLSearchParams(
    inPlace('query').flatMap(([name, value]) => [value].flat().map((item): [string, string] => [name, textOf(item)]))
  ).toString()
  const body = inPlace('body')
  const payload = body.length > 0 || template.sendsBody ? JSON.stringify(Object.fromEntries(body)) : undefined
  return {
    method: operation.method,
    url: query === '' ? path : `${path}?${query}`,
    headers: {
      ...Object.fromEntries(inPlace('header').map(([name, value]) => [name.toLowerCase(), textOf(value)])),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' })
    },
    payload
  }
}
