import fc from 'fast-check'
import { resolve, type SchemaObject } from '../architecture/document.ts'
import type { Pool } from './pool.ts'
import type { Stock } from './stock.ts'
import { canary, strangeText } from './strange-text.ts'

/** The keywords that the specification uses. */
export interface Schema extends SchemaObject {
  const?: unknown
  oneOf?: Schema[]
  allOf?: Schema[]
  items?: Schema
  required?: string[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  multipleOf?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
}

export interface Source {
  pool: Pool
  stock: Stock
  /** The address of the tenant's user. */
  email: string
  /** Whether every free text contains the canary. */
  marked: boolean
}

const isName = (name: string): boolean => /^id$|_id$|Id$|^key$/.test(name)

const formats: Record<string, fc.Arbitrary<string>> = {
  date: fc.constantFrom('2024-02-29', '2026-06-14', '1970-01-01', '9999-12-31', '0001-01-01', '2026-12-31'),
  'date-time': fc.constantFrom(
    '2026-06-14T18:00:00Z',
    '2024-02-29T23:59:59.999+14:00',
    '9999-12-31T23:59:59Z',
    '0001-01-01T00:00:00Z',
    '2026-06-14t18:00:00.123456z'
  ),
  uuid: fc.uuid(),
  email: fc.nat().map((n) => `u${n}+tag@example.test`),
  uri: fc.constantFrom(
    'http://127.0.0.1:9/hook',
    'https://example.test/a?b=%F0%9F%98%80#c',
    'http://[::1]:9/',
    'https://xn--bcher-kva.example/'
  ),
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6()
}

const textOf = (schema: Schema, name: string, { pool, marked }: Source): fc.Arbitrary<string> => {
  const { minLength = 0, maxLength = 200 } = schema
  const plain = (): fc.Arbitrary<string> => {
    const format = formats[schema.format ?? '']
    if (format !== undefined)
      return marked && schema.format === 'email' ? format.map((text) => `${canary}${text}`) : format
    const free = marked
      ? fc.nat().map((n) => `${isName(name) ? 'own' : canary}-${n}`.padEnd(minLength, 'x').slice(0, maxLength))
      : strangeText(minLength, maxLength)
    if (schema.pattern === undefined) return free
    const pattern = new RegExp(schema.pattern, 'u')
    return fc.tuple(free, fc.stringMatching(pattern)).map(([text, matching]) => (pattern.test(text) ? text : matching))
  }
  const example = schema.example ?? schema.examples?.[0]
  const known = fc.nat().map((n) => pool.pick(name, example, n))
  return fc
    .tuple(known, plain(), fc.nat(9))
    .map(([ours, other, die]) =>
      ours !== undefined && die < 8 ? ours : typeof example === 'string' && die === 8 && !marked ? example : other
    )
}

const numberOf = (schema: Schema, whole: boolean): fc.Arbitrary<number> => {
  const step = whole ? 1 : (schema.multipleOf ?? 0.01)
  const low = schema.minimum ?? (schema.exclusiveMinimum === undefined ? -1000 : schema.exclusiveMinimum + step)
  const high = schema.maximum ?? Math.max(low + 1, 1_000_000)
  const rounded = (value: number): number => (whole ? Math.round(value) : Number(value.toFixed(2)))
  const edges = [low, low + step, high, high - step, 0, 1, 0.29, 1.15, 4218.5]
    .map(rounded)
    .filter((value) => value >= low && value <= high)
  return fc.oneof(
    fc.constantFrom(...edges),
    fc.double({ min: low, max: Math.min(high, low + 500), noNaN: true }).map(rounded)
  )
}

const objectOf = (schema: Schema, source: Source, depth: number): fc.Arbitrary<unknown> => {
  const fields = Object.entries(schema.properties ?? {})
  const required = schema.required ?? []
  const model = Object.fromEntries(fields.map(([name, field]) => [name, validOf(field, name, source, depth + 1)]))
  const record = fc.oneof(fc.record(model, { requiredKeys: required }), fc.record(model))
  const extra = schema.additionalProperties
  if (extra === false || fields.length > 0) return record
  const value = typeof extra === 'object' ? validOf(extra, '', source, depth + 1) : strangeText(0, 40)
  return fc.dictionary(strangeText(1, 20), value, {
    minKeys: schema.minProperties ?? 0,
    maxKeys: Math.min(schema.maxProperties ?? 4, 4)
  })
}

/** Unusual values that a schema allows. Not every combination of keywords is honoured, so the caller validates them. */
export const validOf = (given: SchemaObject, name: string, source: Source, depth = 0): fc.Arbitrary<unknown> => {
  const schema: Schema = resolve<Schema>(given)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map((part) => validOf(part, name, source, depth)))
  if (schema.allOf !== undefined)
    return fc
      .tuple(...schema.allOf.map((part) => validOf(part, name, source, depth)))
      .map((parts) => Object.assign({}, ...parts) as object)
  const types = [schema.type ?? (schema.properties === undefined ? 'string' : 'object')].flat()
  return fc.oneof(
    ...types.map((type) => {
      switch (type) {
        case 'null':
          return fc.constant(null)
        case 'boolean':
          return fc.boolean()
        case 'integer':
        case 'number':
          return fc.tuple(numberOf(schema, type === 'integer'), fc.nat(), fc.boolean()).map(([value, index, real]) => {
            const known = real && isName(name) ? Number(source.pool.pick(name, undefined, index)) : NaN
            return Number.isNaN(known) ? value : known
          })
        case 'array':
          return depth > 5
            ? fc.constant([])
            : fc.array(validOf(schema.items ?? {}, name, source, depth + 1), {
                minLength: schema.minItems ?? 0,
                maxLength: Math.min(schema.maxItems ?? 4, (schema.minItems ?? 0) + 4)
              })
        case 'object':
          return depth > 5 ? fc.constant({}) : objectOf(schema, source, depth)
        default:
          return textOf(schema, name, source)
      }
    })
  )
}
