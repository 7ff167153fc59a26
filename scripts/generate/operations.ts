import { isIdempotent } from './kinds.ts'
import {
  SpecError,
  operationsOf,
  type Bundle,
  type Content,
  type OperationObject,
  type Parameter,
  type Schema
} from './model.ts'
import { bracket, literal, propertyKey, quote } from './print.ts'
import { parametersOf, requestBodyOf, resolve } from './resolve.ts'
import type { TypeBoxPrinter } from './typebox.ts'

/** Extensions that have a field of their own in the table, or that the server does not use. */
const handledExtensions = [
  'x-required-scopes',
  'x-ratelimit-class',
  'x-anonymous-ratelimit-class',
  'x-idempotent',
  'x-client',
  'x-codeSamples',
  'x-postman',
  'x-mcp'
]

/** The `operations` table of one group as TypeScript source, one entry per operation. */
export const printOperations = (bundle: Bundle, group: string, printer: TypeBoxPrinter): string => {
  const items: string[] = []
  for (const { path, method, operation } of operationsOf(bundle.document.paths)) {
    if (bundle.groupOf.get(operation.operationId) !== group) continue
    items.push(
      `${propertyKey(operation.operationId)}: ${printOperation({ bundle, group, path, method, operation, printer })}`
    )
  }
  return items.length === 0 ? '{}' : `{\n${items.join(',\n').replace(/^/gm, '  ')}\n}`
}

interface Context {
  bundle: Bundle
  group: string
  path: string
  method: string
  operation: OperationObject
  printer: TypeBoxPrinter
}

const printOperation = (context: Context): string => {
  const { path, method, operation, group } = context
  const extensions = Object.entries(operation).filter(
    ([key]) => key.startsWith('x-') && !handledExtensions.includes(key)
  )
  const anonymousClass = operation['x-anonymous-ratelimit-class']
  const body = requestBodyOf(context.bundle, operation)
  const fields = [
    `operationId: ${quote(operation.operationId)}`,
    `method: ${quote(method.toUpperCase())}`,
    `path: ${quote(path)}`,
    `url: ${quote(path.replaceAll(':', '::').replace(/\{(\w+)\}/g, ':$1'))}`,
    `group: ${quote(group)}`,
    `tag: ${quote(operation.tags[0] ?? '')}`,
    `bodyTypes: ${literal(Object.keys(body?.content ?? {}))}`,
    `bodyRequired: ${body?.required === true}`,
    `schema: ${printSchema(context, body)}`,
    `security: ${literal(operation.security.map((alternative) => Object.keys(alternative)))}`,
    `scopes: ${literal(operation['x-required-scopes'])}`,
    `rateLimitClass: ${literal(operation['x-ratelimit-class'])}`,
    ...(anonymousClass === undefined ? [] : [`anonymousRateLimitClass: ${literal(anonymousClass)}`]),
    `idempotent: ${isIdempotent(method, operation)}`,
    ...(extensions.length > 0 ? [`extensions: ${literal(Object.fromEntries(extensions))}`] : [])
  ]
  return `{\n${fields.join(',\n').replace(/^/gm, '  ')}\n}`
}

const printSchema = (context: Context, body: OperationObject['requestBody']): string => {
  const { bundle, path, operation, printer } = context
  const parameters = parametersOf(bundle, path, operation)
  const where = operation.operationId
  const parts: string[] = []
  for (const [key, location] of [
    ['params', 'path'],
    ['querystring', 'query'],
    ['headers', 'header']
  ] as const) {
    const here = parameters.filter((parameter) => parameter.in === location)
    if (here.length > 0)
      parts.push(`${key}: ${printer.object(parametersObject(here, where), `${where}.${key}`, false)}`)
  }
  if (parameters.some((parameter) => parameter.in === 'cookie')) {
    throw new SpecError([`${where}: cookie parameters are not validated. Describe the cookie as a security scheme.`])
  }
  if (body !== undefined) parts.push(`body: ${printBody(body, where, printer)}`)
  parts.push(`response: ${printResponses(context)}`)
  return bracket('{', parts, '}')
}

const parametersObject = (parameters: Parameter[], where: string): Schema => {
  const keyOf = (parameter: Parameter) => (parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name)
  for (const parameter of parameters) {
    if (parameter.schema === undefined)
      throw new SpecError([`${where}: the parameter ${parameter.name} has no schema. Add one.`])
  }
  return {
    type: 'object',
    properties: Object.fromEntries(parameters.map((parameter) => [keyOf(parameter), parameter.schema ?? {}])),
    required: parameters.filter((parameter) => parameter.required === true || parameter.in === 'path').map(keyOf)
  }
}

/** A body that is not required is nullable, because Fastify validates a missing body as null. */
const printBody = (
  body: NonNullable<OperationObject['requestBody']>,
  where: string,
  printer: TypeBoxPrinter
): string => {
  const schemas = distinct(Object.values(body.content ?? {}).map(({ schema }) => schema ?? {}))
  const [first = {}] = schemas
  const schema = schemas.length > 1 ? { anyOf: schemas } : first
  return body.required === true
    ? printer.expression(schema, `${where}.body`)
    : printer.nullable(schema, `${where}.body`)
}

const printResponses = ({ bundle, operation, printer }: Context): string => {
  const entries = Object.entries(operation.responses).map(([status, response]) => {
    const { content } = resolve(bundle, response)
    return `${status}: ${printContent(content, `${operation.operationId}.${status}`, printer)}`
  })
  return bracket('{', entries, '}')
}

/** The schema of a response. Other media types than JSON are sent as text; a response without content is null. */
const printContent = (content: Content | undefined, where: string, printer: TypeBoxPrinter): string => {
  const schemas = distinct(
    Object.entries(content ?? {}).map(([mediaType, { schema }]) =>
      /[/+]json\b/.test(mediaType) ? (schema ?? {}) : { type: 'string' }
    )
  )
  const [first] = schemas
  if (first === undefined) return printer.expression({ type: 'null' }, where)
  return printer.expression(schemas.length > 1 ? { anyOf: schemas } : first, where)
}

const distinct = (schemas: Schema[]): Schema[] => [
  ...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()
]
