import { isIdempotent, isReadOnly } from './kinds.ts'
import { SpecError, operationsOf, type Bundle, type OperationObject, type Parameter, type Schema } from './model.ts'
import { parametersOf, requestBodyOf, resolve } from './resolve.ts'

/** The client's method for an operation. */
export interface ClientMethod {
  operation: OperationObject
  path: string
  /** HTTP method in upper case. */
  verb: string
  /** Called as `atlas.<resource>.<name>`. */
  resource: string
  name: string
  pathParameters: Parameter[]
  queryParameters: Parameter[]
  headerParameters: Parameter[]
  body?: { mediaType: string; required: boolean; examples: unknown[] }
  /** The Accept header; undefined when the response is empty. */
  accept?: string
  page?: Page
  /** Whether each call gets an idempotency key. Read-only operations need none. */
  idempotent: boolean
  readOnly: boolean
}

/** Names of the pagination fields. */
export interface Page {
  /** The list fields of a page. A feed has several, which belong together. */
  lists: string[]
  /** Response field with the next position. */
  next: 'nextCursor' | 'next_cursor'
  /** Query parameter that takes the position. */
  parameter: 'cursor' | 'after'
}

const jsonType = 'application/json'
const formType = 'application/x-www-form-urlencoded'

/**
 * Every operation as a method of the client, in the order of the documents. `verbNoun` becomes `nouns.verb`, unless the
 * operation sets `x-client: resource.method`.
 * @throws SpecError when two operations map to the same method, or when the client cannot send an operation's input
 */
export const clientMethods = (bundle: Bundle): ClientMethod[] => {
  const problems: string[] = []
  const claimed = new Map<string, string>()
  const methods: ClientMethod[] = []
  for (const place of operationsOf(bundle.document.paths)) {
    const { operationId } = place.operation
    const [resource, name] = nameOf(place.operation, problems)
    const other = claimed.get(`${resource}.${name}`)
    if (other !== undefined)
      problems.push(
        `${operationId} and ${other} are both ${resource}.${name} in the client. Set x-client: resource.method on one of them.`
      )
    claimed.set(`${resource}.${name}`, operationId)
    const method = { ...describe(bundle, place), resource, name }
    if (method.body !== undefined && method.queryParameters.length > 0) {
      problems.push(
        `${operationId} has a query and a body, but a client method takes only one. Move the query into the body.`
      )
    }
    methods.push(method)
  }
  if (problems.length > 0) throw new SpecError(problems)
  return methods
}

const nameOf = (operation: OperationObject, problems: string[]): [resource: string, name: string] => {
  const given = operation['x-client']
  if (given !== undefined) {
    const [, resource, name] =
      /^([a-z][A-Za-z0-9]*)\.([a-z][A-Za-z0-9]*)$/.exec(typeof given === 'string' ? given : '') ?? []
    if (resource !== undefined && name !== undefined) return [resource, name]
    problems.push(
      `${operation.operationId}: x-client is ${JSON.stringify(given)}. Write resource.method, such as tasks.list.`
    )
  }
  const [, verb = operation.operationId, noun = ''] = /^([a-z]+)([A-Z]\w*)$/.exec(operation.operationId) ?? []
  return [plural(noun.charAt(0).toLowerCase() + noun.slice(1)), verb]
}

const plural = (noun: string): string => {
  if (noun.endsWith('s')) return noun
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}

const describe = (
  bundle: Bundle,
  { path, method, operation }: { path: string; method: string; operation: OperationObject }
): Omit<ClientMethod, 'resource' | 'name'> => {
  const parameters = parametersOf(bundle, path, operation)
  const inPathOrder = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
    parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)
  )
  const described = {
    operation,
    path,
    verb: method.toUpperCase(),
    pathParameters: inPathOrder.filter((parameter) => parameter !== undefined),
    queryParameters: parameters.filter((parameter) => parameter.in === 'query'),
    headerParameters: parameters.filter(
      (parameter) => parameter.in === 'header' && parameter.name !== 'Idempotency-Key'
    ),
    idempotent: isIdempotent(method, operation) && !isReadOnly(method, operation),
    readOnly: isReadOnly(method, operation)
  }
  const body = bodyOf(bundle, operation)
  const { accept, schema } = responseOf(bundle, operation)
  const page = schema === undefined ? undefined : pageOf(bundle, schema, described.queryParameters)
  return {
    ...described,
    ...(body === undefined ? {} : { body }),
    ...(accept === undefined ? {} : { accept }),
    ...(page === undefined ? {} : { page })
  }
}

const bodyOf = (bundle: Bundle, operation: OperationObject): ClientMethod['body'] => {
  const requestBody = requestBodyOf(bundle, operation)
  if (requestBody === undefined) return undefined
  const { content = {}, required = false } = requestBody
  const mediaType = [jsonType, formType].find((type) => content[type] !== undefined)
  if (mediaType === undefined)
    throw new SpecError([`${operation.operationId}: the client sends JSON or a form. Offer one of them.`])
  const { example, examples = {} } = content[mediaType] as {
    example?: unknown
    examples?: Record<string, { $ref?: string; value?: unknown }>
  }
  const values = Object.values(examples).map((item) => resolve<{ $ref?: string; value?: unknown }>(bundle, item).value)
  return { mediaType, required, examples: example === undefined ? values : [example, ...values] }
}

/** The first successful response with content: JSON if offered, otherwise the first media type. */
const responseOf = (bundle: Bundle, operation: OperationObject): { accept?: string; schema?: Schema } => {
  for (const [status, response] of Object.entries(operation.responses)) {
    const content = resolve(bundle, response).content ?? {}
    const accept = content[jsonType] === undefined ? Object.keys(content)[0] : jsonType
    if (!status.startsWith('2') || accept === undefined) continue
    const schema = content[accept]?.schema
    return { accept, ...(schema === undefined ? {} : { schema }) }
  }
  return {}
}

const pageOf = (bundle: Bundle, schema: Schema, query: Parameter[]): Page | undefined => {
  const properties = propertiesOf(bundle, schema)
  const next = (['nextCursor', 'next_cursor'] as const).find((name) => properties[name] !== undefined)
  const parameter = (['cursor', 'after'] as const).find((name) => query.some((item) => item.name === name))
  const lists = Object.entries(properties)
    .filter(([, property]) => resolve<Schema>(bundle, property).type === 'array')
    .map(([name]) => name)
  return next === undefined || parameter === undefined || lists.length === 0 ? undefined : { lists, next, parameter }
}

const propertiesOf = (bundle: Bundle, schema: Schema): Record<string, Schema> => {
  const { properties, allOf = [] } = resolve<Schema>(bundle, schema)
  return Object.assign({}, ...allOf.map((part) => propertiesOf(bundle, part)), properties) as Record<string, Schema>
}
