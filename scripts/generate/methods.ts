import type { Bundle } from './bundle.ts'
import { isIdempotent, isReadOnly } from './common.ts'
import type { OperationObject, Parameter, Schema } from './model.ts'
import { SpecError, operationsOf } from './model.ts'
import { resolve } from './operations.ts'

/** How the client's method for an operation is called and what it sends. */
export interface ClientMethod {
  operation: OperationObject
  path: string
  /** In upper case. */
  verb: string
  /** Where it is found: `atlas.<resource>.<name>`. */
  resource: string
  name: string
  pathParameters: Parameter[]
  queryParameters: Parameter[]
  headerParameters: Parameter[]
  body?: { mediaType: string; required: boolean; examples: unknown[] }
  /** What is asked for in Accept; undefined where the answer is empty. */
  accept?: string
  page?: Page
  /** Whether each call gets an idempotency key; one that changes nothing needs none. */
  idempotent: boolean
  readOnly: boolean
}

/** Where a page has its list and the position after it. */
export interface Page {
  /** The lists of a page; a feed has several, which only make sense together. */
  lists: string[]
  /** The member of the answer that holds the next position. */
  next: 'nextCursor' | 'next_cursor'
  /** The parameter that takes it. */
  parameter: 'cursor' | 'after'
}

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

/**
 * Every operation as a method of the client, in the order of the documents. `verbNoun` becomes `nouns.verb`; where that reads
 * badly the operation says `x-client: resource.method`.
 * @throws SpecError when two operations would be one method, or when one takes what the client cannot send.
 */
export function clientMethods(bundle: Bundle): ClientMethod[] {
  const problems: string[] = []
  const claimed = new Map<string, string>()
  const methods: ClientMethod[] = []
  for (const place of operationsOf(bundle.document.paths)) {
    const { operationId } = place.operation
    const [resource, name] = nameOf(place.operation, problems)
    const other = claimed.get(`${resource}.${name}`)
    if (other !== undefined)
      problems.push(
        `${operationId} and ${other} are both ${resource}.${name} in the client; give one of them x-client: resource.method.`
      )
    claimed.set(`${resource}.${name}`, operationId)
    const method = { ...describe(bundle, place), resource, name }
    if (method.body !== undefined && method.queryParameters.length > 0) {
      problems.push(
        `${operationId} takes a query and a body; the client's methods take one of them, so move the query into the body.`
      )
    }
    methods.push(method)
  }
  if (problems.length > 0) throw new SpecError(problems)
  return methods
}

function nameOf(operation: OperationObject, problems: string[]): [resource: string, name: string] {
  const given = operation['x-client']
  if (given !== undefined) {
    const [, resource, name] =
      /^([a-z][A-Za-z0-9]*)\.([a-z][A-Za-z0-9]*)$/.exec(typeof given === 'string' ? given : '') ?? []
    if (resource !== undefined && name !== undefined) return [resource, name]
    problems.push(
      `${operation.operationId}: x-client is ${JSON.stringify(given)}; write resource.method, as in tasks.list.`
    )
  }
  const [, verb = operation.operationId, noun = ''] = /^([a-z]+)([A-Z]\w*)$/.exec(operation.operationId) ?? []
  return [plural(noun.charAt(0).toLowerCase() + noun.slice(1)), verb]
}

function plural(noun: string): string {
  if (noun.endsWith('s')) return noun
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}

function describe(
  bundle: Bundle,
  { path, method, operation }: { path: string; method: string; operation: OperationObject }
): Omit<ClientMethod, 'resource' | 'name'> {
  const parameters = [...(bundle.document.paths[path]?.parameters ?? []), ...(operation.parameters ?? [])].map(
    (parameter) => resolve<Parameter>(bundle, parameter)
  )
  const inPathsOrder = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
    parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)
  )
  const described = {
    operation,
    path,
    verb: method.toUpperCase(),
    pathParameters: inPathsOrder.filter((parameter) => parameter !== undefined),
    queryParameters: parameters.filter((parameter) => parameter.in === 'query'),
    headerParameters: parameters.filter(
      (parameter) => parameter.in === 'header' && parameter.name !== 'Idempotency-Key'
    ),
    idempotent: isIdempotent(method, operation) && !isReadOnly(method, operation),
    readOnly: isReadOnly(method, operation)
  }
  const body = bodyOf(bundle, operation)
  const { accept, schema } = answerOf(bundle, operation)
  const page = schema === undefined ? undefined : pageOf(bundle, schema, described.queryParameters)
  return {
    ...described,
    ...(body === undefined ? {} : { body }),
    ...(accept === undefined ? {} : { accept }),
    ...(page === undefined ? {} : { page })
  }
}

function bodyOf(bundle: Bundle, operation: OperationObject): ClientMethod['body'] {
  if (operation.requestBody === undefined) return undefined
  const { content = {}, required = false } = resolve(bundle, operation.requestBody)
  const mediaType = [JSON_TYPE, FORM_TYPE].find((type) => content[type] !== undefined)
  if (mediaType === undefined)
    throw new SpecError([`${operation.operationId}: the client sends JSON or a form; offer one of them.`])
  const { example, examples = {} } = content[mediaType] as {
    example?: unknown
    examples?: Record<string, { $ref?: string; value?: unknown }>
  }
  const values = Object.values(examples).map((item) => resolve<{ $ref?: string; value?: unknown }>(bundle, item).value)
  return { mediaType, required, examples: example === undefined ? values : [example, ...values] }
}

/** The first successful answer with content: JSON where it is offered, otherwise what comes first. */
function answerOf(bundle: Bundle, operation: OperationObject): { accept?: string; schema?: Schema } {
  for (const [status, response] of Object.entries(operation.responses)) {
    const content = resolve(bundle, response).content ?? {}
    const accept = content[JSON_TYPE] === undefined ? Object.keys(content)[0] : JSON_TYPE
    if (!status.startsWith('2') || accept === undefined) continue
    const schema = content[accept]?.schema
    return { accept, ...(schema === undefined ? {} : { schema }) }
  }
  return {}
}

function pageOf(bundle: Bundle, schema: Schema, query: Parameter[]): Page | undefined {
  const properties = propertiesOf(bundle, schema)
  const next = (['nextCursor', 'next_cursor'] as const).find((name) => properties[name] !== undefined)
  const parameter = (['cursor', 'after'] as const).find((name) => query.some((item) => item.name === name))
  const lists = Object.entries(properties)
    .filter(([, property]) => resolve<Schema>(bundle, property).type === 'array')
    .map(([name]) => name)
  return next === undefined || parameter === undefined || lists.length === 0 ? undefined : { lists, next, parameter }
}

function propertiesOf(bundle: Bundle, schema: Schema): Record<string, Schema> {
  const { properties, allOf = [] } = resolve<Schema>(bundle, schema)
  return Object.assign({}, ...allOf.map((part) => propertiesOf(bundle, part)), properties) as Record<string, Schema>
}
