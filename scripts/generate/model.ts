/** The parts of OpenAPI that the generator reads. Everything else passes through unchanged. */

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
  tags?: { name: string; description?: string; 'x-document'?: string; 'x-order'?: number }[]
  security?: Record<string, string[]>[]
  paths?: Record<string, PathItem>
  webhooks?: Record<string, PathItem>
  components?: Components
}

export interface SpecDocument {
  /** Path relative to the spec folder. */
  file: string
  /** File name without extension; for groups, the group's name. */
  name: string
  content: DocumentContent
}

export interface SpecFolder {
  root: SpecDocument
  groups: SpecDocument[]
  shared: SpecDocument[]
}

/** The specification as one document, and which group owns what. */
export interface Bundle {
  document: DocumentContent & { paths: Record<string, PathItem>; components: Components }
  /** Component schema name → the group that owns it, or `shared`. */
  owners: Map<string, string>
  /** operationId → group. */
  groupOf: Map<string, string>
  groups: string[]
}

const httpMethods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const

/** Errors in the documents, each with its location and the fix. */
export class SpecError extends Error {
  override readonly name = 'SpecError'

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'))
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every operation of the given path items, with its path and method. */
export function* operationsOf(
  paths: Record<string, PathItem> = {}
): Generator<{ path: string; method: string; operation: OperationObject }> {
  for (const [path, item] of Object.entries(paths)) {
    for (const method of httpMethods) {
      const operation = item[method]
      if (isObject(operation)) yield { path, method, operation: operation as unknown as OperationObject }
    }
  }
}

/** The component's name in a reference: `#/components/schemas/Money` → `Money`. */
export const referenceName = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1)
