/** The parts of the bundled specification that the Postman files use. */
export interface Media {
  schema?: unknown
  example?: unknown
  examples?: Record<string, { value?: unknown }>
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  example?: unknown
  schema?: { example?: unknown; examples?: unknown[]; default?: unknown; enum?: unknown[] }
}

/** One request of the run. An operation's `x-postman` is one step or a list of steps. */
export interface Step {
  /** The rank in the folder, 50 by default. Steps of equal rank keep the order of the specification. */
  order?: number
  /** The name of the request, when the operation appears more than once. */
  title?: string
  /** The folder, when it is not that of the operation's tag. */
  folder?: string
  /** Values that replace those of the example, by name: body fields, path and query parameters. */
  set?: Record<string, unknown>
  /** Values of the response that later requests need: variable → path in the body. `items.0.id` selects by index, `items.current=false.id` the first match. */
  saves?: Record<string, string>
  /** Variables that must have a value although the request does not contain them, because it needs what the request that saves them does. */
  needs?: string[]
  /** The variable that holds the bearer token, when the operation's security does not determine it. */
  token?: string
  /** The expected error status of a request that cannot succeed here, such as one that needs Plaid's signature. */
  expects?: number
}

export interface Operation {
  operationId: string
  summary: string
  description: string
  tags: [string]
  security: Record<string, string[]>[]
  parameters?: (Parameter | Reference)[]
  requestBody?: { content: Record<string, Media> } | Reference
  responses: Record<string, Response | Reference>
  'x-operator-only'?: boolean
  'x-required-scopes'?: string[]
  'x-postman'?: Step | Step[]
}

export interface Response {
  description: string
  content?: Record<string, Media>
}

export interface Reference {
  $ref: string
}

export interface SpecificationDocument {
  info: { title: string; version: string; description: string }
  tags: { name: string; description: string; 'x-postman'?: { order: number } }[]
  'x-tagGroups': { name: string; tags: string[] }[]
  paths: Record<string, Record<string, unknown> & { parameters?: (Parameter | Reference)[] }>
}

const isReference = (part: object): part is Reference => '$ref' in part

/** Follows references inside the document. The bundler guarantees that they resolve. */
export const resolve = <Part extends object>(document: SpecificationDocument, part: Part | Reference): Part => {
  if (!isReference(part)) return part
  const keys = part.$ref
    .slice(2)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const found = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document)
  return resolve(document, found as Part | Reference)
}

/** Returns the first example of a request or response body, if any. */
export const exampleOf = (document: SpecificationDocument, { example, examples }: Media): unknown => {
  const [first] = Object.values(examples ?? {})
  return first === undefined ? example : resolve<{ value?: unknown }>(document, first).value
}
