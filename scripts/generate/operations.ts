import type { Bundle } from './bundle.ts'
import { isIdempotent } from './common.ts'
import type { Content, OperationObject, Parameter, Response, Schema } from './model.ts'
import { SpecError, isObject, operationsOf, referenceName } from './model.ts'
import { bracket, literal, propertyKey, quote } from './print.ts'
import type { TypeBoxPrinter } from './typebox.ts'

/** Members that have a place of their own in the table, or that only documentation reads. */
const NOT_EXTENSIONS = [
  'x-required-scopes',
  'x-ratelimit-class',
  'x-idempotent',
  'x-client',
  'x-moves-position',
  'x-codeSamples',
  'x-postman',
  'x-mcp'
]

/** The `operations` table of one group as TypeScript source: `operationId: {…}` for each. */
export function printOperations(bundle: Bundle, group: string, printer: TypeBoxPrinter): string {
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

function printOperation(context: Context): string {
  const { path, method, operation, group } = context
  const extensions = Object.entries(operation).filter(([key]) => key.startsWith('x-') && !NOT_EXTENSIONS.includes(key))
  const body = requestBodyOf(context)
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
    `idempotent: ${isIdempotent(method, operation)}`,
    ...(extensions.length > 0 ? [`extensions: ${literal(Object.fromEntries(extensions))}`] : [])
  ]
  return `{\n${fields.join(',\n').replace(/^/gm, '  ')}\n}`
}

function printSchema(context: Context, body: OperationObject['requestBody']): string {
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
    throw new SpecError([
      `${where}: a cookie parameter would not be validated; describe the cookie as a security scheme.`
    ])
  }
  if (body !== undefined) parts.push(`body: ${printBody(body, where, printer)}`)
  parts.push(`response: ${printResponses(context)}`)
  return bracket('{', parts, '}')
}

/** The parameters of an operation, those of its path included. */
export function parametersOf(bundle: Bundle, path: string, operation: OperationObject): Parameter[] {
  return [...(bundle.document.paths[path]?.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
    resolve<Parameter>(bundle, parameter)
  )
}

function parametersObject(parameters: Parameter[], where: string): Schema {
  const keyOf = (parameter: Parameter) => (parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name)
  for (const parameter of parameters) {
    if (parameter.schema === undefined)
      throw new SpecError([`${where}: the parameter ${parameter.name} has no schema; give it one.`])
  }
  return {
    type: 'object',
    properties: Object.fromEntries(parameters.map((parameter) => [keyOf(parameter), parameter.schema ?? {}])),
    required: parameters.filter((parameter) => parameter.required === true || parameter.in === 'path').map(keyOf)
  }
}

export function requestBodyOf({
  bundle,
  operation
}: Pick<Context, 'bundle' | 'operation'>): OperationObject['requestBody'] {
  return operation.requestBody === undefined ? undefined : resolve(bundle, operation.requestBody)
}

/** Fastify validates null in the place of a body that was not sent. */
function printBody(body: NonNullable<OperationObject['requestBody']>, where: string, printer: TypeBoxPrinter): string {
  const schemas = distinct(Object.values(body.content ?? {}).map(({ schema }) => schema ?? {}))
  const [first = {}] = schemas
  const schema = schemas.length > 1 ? { anyOf: schemas } : first
  return body.required === true
    ? printer.expression(schema, `${where}.body`)
    : printer.nullable(schema, `${where}.body`)
}

function printResponses({ bundle, operation, printer }: Context): string {
  const entries = Object.entries(operation.responses).map(([status, response]) => {
    const { content } = responseOf(bundle, response)
    return `${status}: ${printContent(content, `${operation.operationId}.${status}`, printer)}`
  })
  return bracket('{', entries, '}')
}

export function responseOf(bundle: Bundle, response: Response): Response {
  return resolve(bundle, response)
}

/** The schema of an answer: what is not JSON is sent as text, and an answer without content has the schema of null. */
function printContent(content: Content | undefined, where: string, printer: TypeBoxPrinter): string {
  const schemas = distinct(
    Object.entries(content ?? {}).map(([mediaType, { schema }]) =>
      /[/+]json\b/.test(mediaType) ? (schema ?? {}) : { type: 'string' }
    )
  )
  const [first] = schemas
  if (first === undefined) return printer.expression({ type: 'null' }, where)
  return printer.expression(schemas.length > 1 ? { anyOf: schemas } : first, where)
}

function distinct(schemas: Schema[]): Schema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
}

/** Follows a reference to a component; the bundle has proved that it leads somewhere. */
export function resolve<T extends { $ref?: string }>(bundle: Bundle, part: T): T {
  if (part.$ref === undefined) return part
  const kind = part.$ref.split('/')[2] ?? ''
  const found = bundle.document.components[kind]?.[referenceName(part.$ref)]
  if (!isObject(found)) throw new SpecError([`${part.$ref} leads nowhere; add the component.`])
  return resolve(bundle, found as T)
}
