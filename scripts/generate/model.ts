/** The parts of OpenAPI that the generator looks at; everything else passes through as it is. */

export type JsonObject = Record<string, unknown>

export interface Schema {
  [keyword: string]: unknown
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
  allOf?: Schema[]
  oneOf?: Schema[]
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  discriminator?: { propertyName: string }
}

export interface Parameter {
  $ref?: string
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  description?: string
  required?: boolean
  schema?: Schema
}

export type Content = Record<string, { schema?: Schema }>

export interface Response {
  $ref?: string
  headers?: JsonObject
  content?: Content
}

export interface OperationObject {
  [extension: `x-${string}`]: unknown
  operationId: string
  summary?: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { $ref?: string; required?: boolean; content?: Content }
  responses: Record<string, Response>
}

export type PathItem = Record<string, unknown> & { parameters?: Parameter[] }

export interface Components {
  [kind: string]: Record<string, unknown> | undefined
  schemas?: Record<string, Schema>
  responses?: Record<string, Response>
}

export interface DocumentContent {
  [key: string]: unknown
  info?: JsonObject
  tags?: { name: string; description?: string; 'x-document'?: string }[]
  security?: Record<string, string[]>[]
  paths?: Record<string, PathItem>
  webhooks?: Record<string, PathItem>
  components?: Components
}

export interface SpecDocument {
  /** Relative to the spec folder, for messages and for references. */
  file: string
  /** The file's name without its ending: the group's name. */
  name: string
  content: DocumentContent
}

export interface SpecFolder {
  root: SpecDocument
  groups: SpecDocument[]
  shared: SpecDocument[]
}

export const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const

/** Faults of the documents, each with the place and the cure. */
export class SpecError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'SpecError'
    this.problems = problems
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every operation of some path items, with the place it is written at. */
export function* operationsOf(
  paths: Record<string, PathItem> = {}
): Generator<{ path: string; method: string; operation: OperationObject }> {
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS) {
      const operation = item[method]
      if (isObject(operation)) yield { path, method, operation: operation as unknown as OperationObject }
    }
  }
}

/** The last part of a reference into components: `#/components/schemas/Money` → `Money`. */
export function referenceName(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1)
}
