import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Operation } from '../../plugins/operations/table.ts'
import { allOperations } from '../../spec/generated/index.ts'

/** The parts of the bundled document that these tests read. */
export interface SchemaObject {
  type?: string | string[]
  format?: string
  pattern?: string
  enum?: unknown[]
  example?: unknown
  examples?: unknown[]
  properties?: Record<string, SchemaObject>
  additionalProperties?: boolean | object
  $ref?: string
}

export interface MediaType {
  schema?: SchemaObject
  example?: unknown
  examples?: Record<string, { value?: unknown; $ref?: string }>
}

export interface ParameterObject {
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  required?: boolean
  schema?: SchemaObject
  example?: unknown
}

export interface OperationObject {
  operationId: string
  parameters?: (ParameterObject | { $ref: string })[]
  requestBody?: { content: Record<string, MediaType> } | { $ref: string }
  responses: Record<string, { $ref?: string; content?: Record<string, MediaType>; headers?: Record<string, unknown> }>
}

export interface Document {
  paths: Record<string, Record<string, OperationObject> & { parameters?: ParameterObject[] }>
  components: Record<string, Record<string, unknown>>
}

export const document = JSON.parse(
  readFileSync(new URL('../../spec/generated/openapi.json', import.meta.url), 'utf8')
) as Document

/** Every operation of the table, in the order of the documents. */
export const operations: Operation[] = Object.values<Operation>(allOperations)

/** Follows a reference inside the document. */
export const resolve = <T extends object>(part: T | { $ref: string }): T => {
  if (!('$ref' in part) || typeof part.$ref !== 'string') return part as T
  const found = part.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (node, key) => (node as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')],
      document
    )
  return resolve(found as T)
}

const describe = ({ path, method }: Operation): OperationObject => {
  const found = document.paths[path]?.[method.toLowerCase()]
  if (found === undefined) throw new Error(`${method} ${path} is not in the document.`)
  return found
}

export const parametersOf = (operation: Operation): ParameterObject[] =>
  [...(document.paths[operation.path]?.parameters ?? []), ...(describe(operation).parameters ?? [])].map((parameter) =>
    resolve<ParameterObject>(parameter)
  )

/** The media types of an operation's body; empty when it takes no body. */
export const bodyOf = (operation: Operation): Record<string, MediaType> =>
  resolve<{ content?: Record<string, MediaType> }>(describe(operation).requestBody ?? {}).content ?? {}

/** The examples of a media type. */
export const examplesOf = (media: MediaType): unknown[] =>
  media.examples === undefined
    ? media.example === undefined
      ? []
      : [media.example]
    : Object.values(media.examples).map((example) => resolve<{ value?: unknown }>(example as { value?: unknown }).value)

/** A valid value for a parameter: its example if it has one, otherwise generated from its schema with a fixed seed. */
export const sampleOf = (parameter: ParameterObject): string => {
  const schema = resolve<SchemaObject>(parameter.schema ?? {})
  const example = parameter.example ?? schema.example ?? schema.examples?.[0] ?? schema.enum?.[0]
  if (example !== undefined && example !== null) return String(example)
  if (schema.format === 'uuid') return '3f2b8c1e-9d5a-4e0b-8a54-6f1d2c3b4a59'
  if (schema.pattern !== undefined)
    return fc.sample(fc.stringMatching(new RegExp(schema.pattern)), { numRuns: 1, seed: 1 })[0] ?? ''
  return schema.type === 'integer' || schema.type === 'number' ? '1' : 'unknown'
}

/** The path of an operation with a value for each parameter in it, and with its required query. */
export const pathOf = (operation: Operation): string => {
  const parameters = parametersOf(operation)
  const path = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce(
      (text, parameter) => text.replace(`{${parameter.name}}`, encodeURIComponent(sampleOf(parameter))),
      operation.path
    )
  const query = new URLSearchParams(
    Object.fromEntries(
      parameters
        .filter((parameter) => parameter.in === 'query' && parameter.required === true)
        .map((parameter) => [parameter.name, sampleOf(parameter)])
    )
  ).toString()
  return query === '' ? path : `${path}?${query}`
}
