import { authOf, type Auth } from './credentials.ts'
import {
  exampleOf,
  resolve,
  type Operation,
  type Parameter,
  type SpecificationDocument,
  type Step
} from './document.ts'

interface Pair {
  key: string
  value: string
  description?: string
  disabled?: boolean
}

export interface PostmanRequest {
  method: string
  description: string
  auth?: Auth
  header: Pair[]
  url: { raw: string; host: string[]; path: string[]; query?: Pair[]; variable?: Pair[] }
  body?: { mode: 'raw'; raw: string; options: { raw: { language: 'json' } } }
}

/** An operation and its position in the document. */
export interface Place {
  document: SpecificationDocument
  path: string
  method: string
  operation: Operation
}

const sampleOf = ({ example, schema }: Parameter): string => {
  const sample = example ?? schema?.example ?? schema?.examples?.[0] ?? schema?.default ?? schema?.enum?.[0] ?? ''
  return typeof sample === 'string' ? sample : JSON.stringify(sample)
}

/** A parameter with its value. Optional parameters that the run does not need are disabled; users can enable them. */
const pairOf = (parameter: Parameter, set: Record<string, unknown>): Pair => {
  const isSet = parameter.name in set
  return {
    key: parameter.name,
    value: isSet ? String(set[parameter.name]) : sampleOf(parameter),
    ...(parameter.description === undefined ? {} : { description: parameter.description }),
    ...(parameter.in === 'path' || parameter.required === true || isSet ? {} : { disabled: true })
  }
}

/** Prints JSON in which a variable that replaces a number has no quotes. */
const printBody = (example: Record<string, unknown>, set: Record<string, unknown>): string => {
  let text = JSON.stringify({ ...example, ...set }, null, 2)
  for (const [name, value] of Object.entries(set)) {
    if (typeof example[name] === 'number' && typeof value === 'string')
      text = text.replace(JSON.stringify(value), value)
  }
  return text
}

const bodyOf = ({ document, operation }: Place, set: Record<string, unknown>): PostmanRequest['body'] => {
  if (operation.requestBody === undefined) return undefined
  const media = resolve<{ content: Record<string, object> }>(document, operation.requestBody).content[
    'application/json'
  ]
  const example = media === undefined ? undefined : exampleOf(document, media)
  if (example === undefined) return undefined
  return {
    mode: 'raw',
    raw: printBody(example as Record<string, unknown>, set),
    options: { raw: { language: 'json' } }
  }
}

const headerOf = (parameters: Parameter[], body: PostmanRequest['body'], set: Record<string, unknown>): Pair[] => [
  ...(body === undefined ? [] : [{ key: 'Content-Type', value: 'application/json' }]),
  ...parameters
    .filter((parameter) => parameter.in === 'header')
    .map((parameter) =>
      parameter.name === 'Idempotency-Key'
        ? { key: parameter.name, value: '{{idempotencyKey}}' }
        : pairOf(parameter, set)
    )
]

/** Builds the request of one step. Names in `set` that match no parameter are body fields. */
export const createRequest = (place: Place, step: Step): PostmanRequest => {
  const { document, path, method, operation } = place
  const parameters = [...(document.paths[path]?.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
    resolve<Parameter>(document, parameter)
  )
  const set = step.set ?? {}
  const names = new Set(parameters.map(({ name }) => name))
  const body = bodyOf(place, Object.fromEntries(Object.entries(set).filter(([name]) => !names.has(name))))
  const pairs = (location: Parameter['in']) =>
    parameters.filter((parameter) => parameter.in === location).map((parameter) => pairOf(parameter, set))
  const [query, variable] = [pairs('query'), pairs('path')]
  const segments = path.slice(1).replace(/\{(\w+)\}/g, ':$1')
  const sent = query.filter(({ disabled }) => disabled !== true).map(({ key, value }) => `${key}=${value}`)
  const auth = authOf(operation, step)
  return {
    method: method.toUpperCase(),
    description: operation.description,
    ...(auth === undefined ? {} : { auth }),
    header: headerOf(parameters, body, set),
    url: {
      raw: `{{baseUrl}}/${segments}${sent.length === 0 ? '' : `?${sent.join('&')}`}`,
      host: ['{{baseUrl}}'],
      path: segments.split('/'),
      ...(query.length === 0 ? {} : { query }),
      ...(variable.length === 0 ? {} : { variable })
    },
    ...(body === undefined ? {} : { body })
  }
}
