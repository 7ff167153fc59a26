import type { ErrorObject } from 'ajv'
import { nearestName } from './nearest.ts'

/** What is wrong with one value of a request, as the validator found it. */
export interface Fault extends Pick<ErrorObject, 'keyword' | 'instancePath' | 'params' | 'data'> {
  /** The schema that has the keyword. */
  parentSchema?: {
    properties?: Record<string, { default?: unknown } | undefined>
    required?: string[]
    minimum?: number
    maximum?: number
    'x-message'?: string
  }
  part: 'body' | 'query' | 'params' | 'headers'
  /** Whether the value was sent as text (in the URL, a header or a form), and not as JSON. */
  isText: boolean
}

/** How many names a sentence lists. */
const mostListed = 12

/** Joins words: `a`, `a or b`, `a, b or c`. */
export const listed = (words: readonly string[], joint = 'or'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${joint} ${words.at(-1)}`

const didYouMean = (name: string | undefined): string => (name === undefined ? '' : ` (did you mean ${name}?)`)

const unknownName = (name: string, { part, parentSchema }: Fault): string => {
  const known = Object.keys(parentSchema?.properties ?? {})
  const near = nearestName(name, known)
  if (part === 'query' && known.length === 0) return 'is not a parameter: this operation takes no query parameters'
  const what = part === 'query' ? 'is not a query parameter of this operation' : 'is not a field of this request'
  if (near !== undefined || known.length === 0 || known.length > mostListed) return what + didYouMean(near)
  return `${what}, which takes ${listed(known, 'and')}`
}

const kindNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  null: 'null'
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const missingBody = ({ parentSchema }: Fault): string => {
  const { required = [], properties = {} } = parentSchema ?? {}
  const needed = required.filter((name) => properties[name]?.default === undefined)
  return `is empty, but must be a JSON object${needed.length === 0 ? '' : ` with ${listed(needed, 'and')}`}`
}

const wrongType = (fault: Fault): string => {
  const { params, data, instancePath, part, isText } = fault
  const types = [(params as { type: string | string[] }).type].flat()
  const isWholeBody = part === 'body' && instancePath === ''
  if (isWholeBody && (data === null || data === undefined)) return missingBody(fault)
  const wanted = isWholeBody ? 'a JSON object' : listed(types.map((type) => kindNames[type] ?? type))
  if (isText) return Array.isArray(data) ? 'must be sent only once' : `must be ${wanted}`
  const sent = kindOf(data)
  if (sent === 'number' && types.includes('integer')) return `must be ${wanted}`
  const cure =
    sent === 'string' && !types.includes('array') && !types.includes('object') ? ' (remove the quotation marks)' : ''
  return `must be ${wanted}, not ${sent === 'boolean' ? 'a boolean' : kindNames[sent]}${cure}`
}

const oneOfThese = ({ params, data }: Fault): string => {
  const values = (params as { allowedValues: unknown[] }).allowedValues.map(String)
  const near = typeof data === 'string' ? nearestName(data, values) : undefined
  if (near !== undefined && values.length > mostListed) return `is not an allowed value${didYouMean(near)}`
  return `must be ${values.length > 2 ? 'one of ' : ''}${listed(values)}${didYouMean(near)}`
}

const limitOf = ({ params }: Fault): number => (params as { limit: number }).limit

/** Both bounds, even when only one is exceeded: the next attempt might exceed the other. */
const range = (fault: Fault): string => {
  const { minimum, maximum } = fault.parentSchema ?? {}
  if (minimum !== undefined && maximum !== undefined) return `must be between ${minimum} and ${maximum}`
  return `must be at ${fault.keyword === 'minimum' ? 'least' : 'most'} ${limitOf(fault)}`
}

const counted = (count: number, one: string): string => (count === 1 ? `one ${one}` : `${count} ${one}s`)

/** The decimals that a number has at most when it is a multiple of these. */
const decimals: Record<number, string> = { 0.01: 'two', 0.001: 'three' }

const formats: Record<string, string> = {
  date: 'must be a date such as 2026-06-14',
  'date-time': 'must be a time with a time zone, such as 2026-06-14T18:00:00Z',
  uri: 'must be a URL such as https://example.com/path',
  uuid: 'must be a UUID such as 4b1f8a52-0c3e-4c55-9a57-1a2f0f1b7f11',
  int64: 'must be a whole number'
}

/**
 * What a keyword of JSON Schema requires, as the rest of a sentence that begins with the name of the field. `x-message` beside a `pattern` is the
 * sentence of that pattern.
 */
const sentences: Record<string, (fault: Fault) => string> = {
  required: () => 'is required',
  additionalProperties: (fault) =>
    unknownName((fault.params as { additionalProperty: string }).additionalProperty, fault),
  type: wrongType,
  enum: oneOfThese,
  const: ({ params }) => `must be ${String((params as { allowedValue: unknown }).allowedValue)}`,
  format: ({ params }) => formats[(params as { format: string }).format] ?? 'has the wrong format',
  pattern: ({ parentSchema }) => parentSchema?.['x-message'] ?? 'has the wrong format',
  minimum: range,
  maximum: range,
  exclusiveMinimum: (fault) => `must be greater than ${limitOf(fault)}`,
  exclusiveMaximum: (fault) => `must be less than ${limitOf(fault)}`,
  multipleOf: ({ params }) => {
    const { multipleOf } = params as { multipleOf: number }
    return decimals[multipleOf] === undefined
      ? `must be a multiple of ${multipleOf}`
      : `must have at most ${decimals[multipleOf]} decimals`
  },
  minLength: (fault) =>
    limitOf(fault) === 1 ? 'must not be empty' : `must have at least ${limitOf(fault)} characters`,
  maxLength: (fault) => `must have at most ${counted(limitOf(fault), 'character')}`,
  minItems: (fault) => `must have at least ${counted(limitOf(fault), 'item')}`,
  maxItems: (fault) => `must have at most ${counted(limitOf(fault), 'item')}`,
  uniqueItems: ({ params }) => {
    const { i, j } = params as { i: number; j: number }
    return `must not contain the same item twice (items ${Math.min(i, j)} and ${Math.max(i, j)} are equal)`
  },
  minProperties: (fault) => `must have at least ${counted(limitOf(fault), 'field')}`,
  maxProperties: (fault) => `must have at most ${counted(limitOf(fault), 'field')}`
}

/** The keywords and formats that have a sentence. */
export const known = { keywords: Object.keys(sentences), formats: Object.keys(formats) }

/** Says what is wrong with a value, as the rest of a sentence that begins with the name of the field: `must be a date such as 2026-06-14`. */
export const sentenceOf = (fault: Fault): string => sentences[fault.keyword]?.(fault) ?? 'is invalid'
