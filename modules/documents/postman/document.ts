/** The parts of the bundled specification that the Postman files are made from. */
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
  schema?: { example?: unknown; default?: unknown; enum?: unknown[] }
}

/** One appearance of an operation in the run: `x-postman` of an operation is one of these, or a list. */
export interface Step {
  /** Its rank in the folder; 50 when it does not matter, and equals stand as in the specification. */
  order?: number
  /** Its name, where an operation appears more than once. */
  title?: string
  /** The folder, where it is not that of the operation's own tag. */
  folder?: string
  /** Values in place of the example's, by name: fields of the body, parameters of the path and of the query. */
  set?: Record<string, unknown>
  /** What later requests need of the answer: variable → place in the body, such as `items.0.id`, or `items.current=false.id` for the first that is so. */
  saves?: Record<string, string>
  /** The variable with the bearer token, where it is not the one that the operation's security leads to. */
  token?: string
  /** The only status that is right, where it is a refusal: a collection cannot sign as Plaid does. */
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

/** Follows references inside the document; the bundler has proved that they lead somewhere. */
export const resolve = <Part extends object>(document: SpecificationDocument, part: Part | Reference): Part => {
  if (!isReference(part)) return part
  const keys = part.$ref
    .slice(2)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const found = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document)
  return resolve(document, found as Part | Reference)
}

/** The first example of a body or an answer; undefined when it has none. */
export const exampleOf = (document: SpecificationDocument, { example, examples }: Media): unknown => {
  const [first] = Object.values(examples ?? {})
  return first === undefined ? example : resolve<{ value?: unknown }>(document, first).value
}
