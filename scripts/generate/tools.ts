import type { ArgumentPlace } from '../../plugins/mcp/template.ts'
import { inlined } from './inline.ts'
import { isIdempotent, isReadOnly } from './kinds.ts'
import {
  SpecError,
  isObject,
  operationsOf,
  type Bundle,
  type JsonObject,
  type OperationObject,
  type Parameter,
  type Schema
} from './model.ts'
import { literal } from './print.ts'
import { parametersOf, requestBodyOf, resolve } from './resolve.ts'
import type { Schemas } from './schemas.ts'

/** The extension `x-mcp`, which offers an operation as an MCP tool. */
interface Marking {
  /** What the tool does and when to use it, for a model. */
  description: string
  /** Whether it deletes something or spends money. Required unless the operation is read-only. */
  destructive?: boolean
  /** Whether repeating it has no further effect. Defaults to what the method and idempotency keys imply. */
  idempotent?: boolean
  /** Whether it reaches other services. Defaults to whether the operation has `x-upstream`. */
  openWorld?: boolean
  /** Default values of arguments, so that responses stay small. */
  defaults?: JsonObject
}

const markingMembers = ['description', 'destructive', 'idempotent', 'openWorld', 'defaults']

const keyDescription =
  'Ensures that the call takes effect at most once. Create a new UUID for each purchase, transfer or other effect. To retry, ' +
  'also after a timeout or an error, send the same UUID and the same arguments. Keys are valid for 24 hours.'

interface Argument extends ArgumentPlace {
  schema: Schema
}

interface Context {
  bundle: Bundle
  schemas: Schemas
  path: string
  method: string
  operation: OperationObject
  marking: Marking
}

/**
 * The tools of all operations with `x-mcp`, as TypeScript source.
 * @throws SpecError with every error found
 */
export const printTools = (bundle: Bundle, schemas: Schemas): string => {
  const problems: string[] = []
  const tools: unknown[] = []
  for (const { path, method, operation } of operationsOf(bundle.document.paths)) {
    const marking = operation['x-mcp']
    if (marking === undefined) continue
    try {
      tools.push(toolOf({ bundle, schemas, path, method, operation, marking: readMarking(marking, method, operation) }))
    } catch (error) {
      if (!(error instanceof SpecError)) throw error
      problems.push(...error.problems.map((problem) => `${bundle.groupOf.get(operation.operationId)}.yaml: ${problem}`))
    }
  }
  if (problems.length > 0) throw new SpecError(problems)
  return literal(tools)
}

const readMarking = (marking: unknown, method: string, operation: OperationObject): Marking => {
  const { operationId } = operation
  const fault = (text: string) => new SpecError([`${operationId}: x-mcp ${text}`])
  if (!isObject(marking)) throw fault('must be a mapping. Write "x-mcp: { description: … }".')
  const unknown = Object.keys(marking).filter((key) => !markingMembers.includes(key))
  if (unknown.length > 0)
    throw fault(`has unknown members ${unknown.join(', ')}. Known members: ${markingMembers.join(', ')}.`)
  const given = marking as unknown as Marking
  if (typeof given.description !== 'string' || given.description.length < 20)
    throw fault('needs a description of what the tool does and when to use it.')
  if (!isReadOnly(method, operation) && given.destructive === undefined) {
    throw fault('must set "destructive: true" (it deletes something or spends money) or "destructive: false".')
  }
  return given
}

const toolOf = (context: Context): JsonObject => {
  const { operation, marking } = context
  const list = argumentsOf(context)
  const unknown = Object.keys(marking.defaults ?? {}).filter((name) => !list.has(name))
  if (unknown.length > 0)
    throw new SpecError([
      `${operation.operationId}: x-mcp.defaults has ${unknown.join(', ')}, which is not an argument of the tool.`
    ])
  const output = outputOf(context)
  return {
    name: snakeCase(operation.operationId),
    operationId: operation.operationId,
    title: operation.summary ?? operation.operationId,
    description: marking.description.trim(),
    inputSchema: inputOf(list, marking.defaults ?? {}),
    ...(output === undefined ? {} : { outputSchema: output }),
    annotations: annotationsOf(context),
    places: Object.fromEntries([...list].map(([name, { schema: _schema, ...place }]) => [name, place])),
    sendsBody: requestBodyOf(context.bundle, operation)?.required === true,
    defaults: marking.defaults ?? {}
  }
}

const annotationsOf = ({ method, operation, marking }: Context): JsonObject => {
  const readOnly = isReadOnly(method, operation)
  return {
    readOnlyHint: readOnly,
    destructiveHint: !readOnly && marking.destructive === true,
    idempotentHint:
      marking.idempotent ?? (readOnly || method === 'put' || method === 'delete' || isIdempotent(method, operation)),
    openWorldHint: marking.openWorld ?? operation['x-upstream'] !== undefined
  }
}

/** The parameters and the body's members, by argument name. */
const argumentsOf = (context: Context): Map<string, Argument> => {
  const { operation, schemas, bundle, path, method, marking } = context
  const found = new Map<string, Argument>()
  const add = (name: string, given: Argument): void => {
    const argument = name in (marking.defaults ?? {}) ? { ...given, required: false } : given
    const other = found.get(name)
    if (other !== undefined) {
      throw new SpecError([
        `${operation.operationId}: '${name}' is in the ${other.in} and in the ${argument.in}, but a tool's arguments need unique names. Rename one.`
      ])
    }
    found.set(name, argument)
  }
  for (const parameter of parametersOf(bundle, path, operation)) {
    const argument = argumentOfParameter(parameter, context)
    // Read-only operations need no key.
    if (!(isKey(parameter) && (isReadOnly(method, operation) || !isIdempotent(method, operation))))
      add(nameOfParameter(parameter), argument)
  }
  const body = bodyOf(context)
  for (const [name, schema] of Object.entries(body?.properties ?? {})) {
    add(name, {
      in: 'body',
      name,
      required: body?.required?.includes(name) === true,
      schema: inlined(schema, schemas, `${operation.operationId}.${name}`)
    })
  }
  return found
}

const isKey = (parameter: Parameter): boolean => parameter.name.toLowerCase() === 'idempotency-key'

const nameOfParameter = (parameter: Parameter): string =>
  parameter.in === 'header' ? parameter.name.toLowerCase().replaceAll('-', '_') : parameter.name

const argumentOfParameter = (parameter: Parameter, { schemas, operation }: Context): Argument => {
  const where = `${operation.operationId}.${parameter.name}`
  const schema = inlined(parameter.schema ?? {}, schemas, where)
  if (parameter.in === 'cookie')
    throw new SpecError([`${where}: a tool cannot send cookies. Remove x-mcp from the operation.`])
  const description = isKey(parameter) ? keyDescription : (parameter.description ?? schema['description'])
  const required = parameter.in === 'path' || parameter.required === true || isKey(parameter)
  return {
    in: parameter.in,
    name: parameter.name,
    required,
    schema: { ...schema, ...(description === undefined ? {} : { description }) }
  }
}

const bodyOf = (context: Context): Schema | undefined => {
  const { bundle, operation, schemas } = context
  const body = requestBodyOf(bundle, operation)
  if (body === undefined) return undefined
  const content = body.content?.['application/json']
  if (content === undefined)
    throw new SpecError([
      `${operation.operationId}: a tool sends JSON, which the operation does not accept. Remove x-mcp from it.`
    ])
  const schema = inlined(content.schema ?? {}, schemas, operation.operationId)
  if (schema.properties === undefined && schema.additionalProperties !== false) {
    throw new SpecError([
      `${operation.operationId}: a tool's arguments are the members of the body, so the body must be an object. Remove x-mcp from the operation.`
    ])
  }
  return schema
}

/** Constraints between arguments are left to the operation: model APIs reject alternatives at the top of a tool's schema. */
const inputOf = (list: Map<string, Argument>, defaults: JsonObject): JsonObject => {
  const properties = [...list].map(([name, { schema }]) => [
    name,
    name in defaults ? { ...schema, default: defaults[name] } : schema
  ])
  const required = [...list].filter(([, argument]) => argument.required).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false
  }
}

/** The schema of the successful responses; undefined when they are empty. */
const outputOf = ({ bundle, operation, schemas }: Context): Schema | undefined => {
  const outputs = new Map<string, Schema>()
  for (const [status, given] of Object.entries(operation.responses)) {
    if (!status.startsWith('2')) continue
    const { content } = resolve(bundle, given)
    if (content === undefined) continue
    const schema = content['application/json']?.schema
    const plain = schema === undefined ? undefined : inlined(schema, schemas, `${operation.operationId}.${status}`)
    if (plain === undefined || (plain.type !== 'object' && plain.oneOf === undefined)) {
      throw new SpecError([
        `${operation.operationId}: a tool returns a JSON object, but response ${status} is not one. Remove x-mcp from the operation.`
      ])
    }
    outputs.set(JSON.stringify(plain), plain)
  }
  const [first, ...others] = outputs.values()
  if (first === undefined) return undefined
  return others.length === 0 ? { type: 'object', ...first } : { type: 'object', anyOf: [first, ...others] }
}

/** `createTransfer` → `create_transfer`. */
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
