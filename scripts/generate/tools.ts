import type { Bundle } from './bundle.ts'
import { isIdempotent, isReadOnly } from './common.ts'
import { inlined } from './inline.ts'
import type { JsonObject, OperationObject, Parameter, Schema } from './model.ts'
import { SpecError, isObject, operationsOf } from './model.ts'
import { parametersOf, requestBodyOf, responseOf } from './operations.ts'
import { literal } from './print.ts'
import type { Schemas } from './schemas.ts'

/** What an operation says of itself under `x-mcp` to be offered to models as a tool. */
interface Marking {
  /** What the tool does and when to take it, for a model. */
  description: string
  /** Whether it takes something away or spends money; to be said of everything that is not read-only. */
  destructive?: boolean
  /** Whether doing it again changes nothing more, where neither method nor idempotency key tell. */
  idempotent?: boolean
  /** Whether it reaches beyond this server; as `x-upstream` says unless given. */
  openWorld?: boolean
  /** Values that arguments have when the model leaves them out, so that answers stay small. */
  defaults?: JsonObject
}

const MEMBERS = ['description', 'destructive', 'idempotent', 'openWorld', 'defaults']

const KEY_DESCRIPTION =
  'Makes one call happen once. Make a new UUID for each purchase, transfer or other effect, and send the same one again ' +
  'with the same arguments whenever you try that one again, also after a timeout or an error: for 24 hours it then takes effect at most once.'

interface Argument {
  in: 'path' | 'query' | 'header' | 'body'
  name: string
  required: boolean
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

/** The tools of all marked operations as TypeScript source; faults of the markings are told at once. */
export function printTools(bundle: Bundle, schemas: Schemas): string {
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

function readMarking(marking: unknown, method: string, operation: OperationObject): Marking {
  const { operationId } = operation
  const fault = (text: string) => new SpecError([`${operationId}: x-mcp ${text}`])
  if (!isObject(marking)) throw fault('must be a mapping; write "x-mcp: { description: … }".')
  const unknown = Object.keys(marking).filter((key) => !MEMBERS.includes(key))
  if (unknown.length > 0) throw fault(`has ${unknown.join(', ')}; it knows ${MEMBERS.join(', ')}.`)
  const given = marking as unknown as Marking
  if (typeof given.description !== 'string' || given.description.length < 20)
    throw fault('needs a description of what the tool does and when to take it.')
  if (!isReadOnly(method, operation) && given.destructive === undefined) {
    throw fault('must say "destructive: true" (it takes something away or spends money) or "destructive: false".')
  }
  return given
}

function toolOf(context: Context): JsonObject {
  const { operation, marking } = context
  const list = argumentsOf(context)
  const unknown = Object.keys(marking.defaults ?? {}).filter((name) => !list.has(name))
  if (unknown.length > 0)
    throw new SpecError([
      `${operation.operationId}: x-mcp.defaults names ${unknown.join(', ')}, which is no argument of the tool.`
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
    places: Object.fromEntries(
      [...list].map(([name, argument]) => [name, { in: argument.in, name: argument.name, required: argument.required }])
    ),
    sendsBody: requestBodyOf(context)?.required === true,
    defaults: marking.defaults ?? {}
  }
}

function annotationsOf({ method, operation, marking }: Context): JsonObject {
  const readOnly = isReadOnly(method, operation)
  return {
    readOnlyHint: readOnly,
    destructiveHint: !readOnly && marking.destructive === true,
    idempotentHint:
      marking.idempotent ?? (readOnly || method === 'put' || method === 'delete' || isIdempotent(method, operation)),
    openWorldHint: marking.openWorld ?? operation['x-upstream'] !== undefined
  }
}

/** Parameters and the body's members by the names that the tool has for them; two of one name are refused. */
function argumentsOf(context: Context): Map<string, Argument> {
  const { operation, schemas, bundle, path, method, marking } = context
  const found = new Map<string, Argument>()
  const add = (name: string, given: Argument): void => {
    const argument = name in (marking.defaults ?? {}) ? { ...given, required: false } : given
    const other = found.get(name)
    if (other !== undefined) {
      throw new SpecError([
        `${operation.operationId}: '${name}' is in its ${other.in} and in its ${argument.in}, and a tool has one argument of a name; rename one.`
      ])
    }
    found.set(name, argument)
  }
  for (const parameter of parametersOf(bundle, path, operation)) {
    const argument = argumentOfParameter(parameter, context)
    // Calculating again does no harm, so that a key would only be a burden.
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

function nameOfParameter(parameter: Parameter): string {
  return parameter.in === 'header' ? parameter.name.toLowerCase().replaceAll('-', '_') : parameter.name
}

function argumentOfParameter(parameter: Parameter, { schemas, operation }: Context): Argument {
  const where = `${operation.operationId}.${parameter.name}`
  const schema = inlined(parameter.schema ?? {}, schemas, where)
  if (parameter.in === 'cookie')
    throw new SpecError([`${where}: a tool cannot send cookies; do not mark the operation.`])
  const description = isKey(parameter) ? KEY_DESCRIPTION : (parameter.description ?? schema['description'])
  const required = parameter.in === 'path' || parameter.required === true || isKey(parameter)
  return {
    in: parameter.in,
    name: parameter.name,
    required,
    schema: { ...schema, ...(description === undefined ? {} : { description }) }
  }
}

function bodyOf(context: Context): Schema | undefined {
  const { operation, schemas } = context
  const body = requestBodyOf(context)
  if (body === undefined) return undefined
  const content = body.content?.['application/json']
  if (content === undefined)
    throw new SpecError([`${operation.operationId}: a tool sends JSON, and the operation takes none; do not mark it.`])
  const schema = inlined(content.schema ?? {}, schemas, operation.operationId)
  if (schema.properties === undefined && schema.additionalProperties !== false) {
    throw new SpecError([
      `${operation.operationId}: a tool's arguments are the members of the body, so that the body must be one object; do not mark the operation.`
    ])
  }
  return schema
}

/** What must hold between members is left to the operation: models' interfaces refuse alternatives at the top of a tool's schema. */
function inputOf(list: Map<string, Argument>, defaults: JsonObject): JsonObject {
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

/** The schema of the successful answers; undefined when there is nothing to read in them. */
function outputOf({ bundle, operation, schemas }: Context): Schema | undefined {
  const answers = new Map<string, Schema>()
  for (const [status, given] of Object.entries(operation.responses)) {
    if (!status.startsWith('2')) continue
    const { content } = responseOf(bundle, given)
    if (content === undefined) continue
    const schema = content['application/json']?.schema
    const plain = schema === undefined ? undefined : inlined(schema, schemas, `${operation.operationId}.${status}`)
    if (plain === undefined || (plain.type !== 'object' && plain.oneOf === undefined)) {
      throw new SpecError([
        `${operation.operationId}: a tool answers a JSON object, and ${status} is none; do not mark the operation.`
      ])
    }
    answers.set(JSON.stringify(plain), plain)
  }
  const [first, ...others] = answers.values()
  if (first === undefined) return undefined
  return others.length === 0 ? { type: 'object', ...first } : { type: 'object', anyOf: [first, ...others] }
}

/** `createTransfer` → `create_transfer`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
