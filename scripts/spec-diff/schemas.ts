import { isObject, type Schema } from '../generate/model.ts'
import { resolve } from '../generate/resolve.ts'
import type { Comparison } from './comparison.ts'

/** Who sends the schema: accepting less breaks requests, and sending more breaks responses. */
export type Direction = 'request' | 'response'

export interface SchemaComparison extends Comparison {
  direction: Direction
  /** Pairs of references already being compared, so that recursive schemas end. */
  seen: ReadonlySet<string>
}

const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const exactRules = ['pattern', 'format', 'multipleOf', 'uniqueItems']

const typesOf = ({ type }: Schema): string[] | undefined => {
  if (type === undefined) return undefined
  const types = [type].flat()
  return types.includes('number') ? [...types, 'integer'] : types
}

const valuesOf = (schema: Schema): string[] | undefined => {
  const values = 'const' in schema ? [schema.const] : schema.enum
  return values?.map((value) => JSON.stringify(value))
}

/** Values in `narrow` that are not in `wide`; undefined means all values. */
const beyond = (narrow: string[] | undefined, wide: string[] | undefined): string[] => {
  if (wide === undefined) return []
  if (narrow === undefined) return ['anything']
  return narrow.filter((value) => !wide.includes(value))
}

const compareSets = (
  what: string,
  old: string[] | undefined,
  now: string[] | undefined,
  place: string,
  { direction, report }: SchemaComparison
): void => {
  const [gone, added] = [beyond(old, now), beyond(now, old)]
  if (gone.length > 0) report(direction === 'request', place, `${what} no longer allows ${gone.join(', ')}`)
  if (added.length > 0) report(direction === 'response', place, `${what} now allows ${added.join(', ')}`)
}

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value))

/** Compares the limits of request schemas. Limits of responses are informative and break no client. */
const compareLimits = (old: Schema, now: Schema, place: string, report: Comparison['report']): void => {
  const compareBound = (name: string, sign: 1 | -1): void => {
    const [before, after] = [old[name], now[name]]
    if (before === after) return
    const stricter = typeof after === 'number' && (typeof before !== 'number' || sign * after < sign * before)
    report(stricter, place, `${name} changed from ${show(before)} to ${show(after)}`)
  }
  for (const name of upperBounds) compareBound(name, 1)
  for (const name of lowerBounds) compareBound(name, -1)
  for (const name of exactRules) {
    const [before, after] = [old[name], now[name]]
    if (before !== after)
      report(after !== undefined && after !== false, place, `${name} changed from ${show(before)} to ${show(after)}`)
  }
}

const compareProperties = (old: Schema, now: Schema, place: string, comparison: SchemaComparison): void => {
  const { direction, report } = comparison
  const [before, after] = [old.properties ?? {}, now.properties ?? {}]
  const [wasRequired, isRequired] = [old.required ?? [], now.required ?? []]
  for (const name of Object.keys(before)) {
    const property = after[name]
    if (property === undefined) report(true, place, `the field ${name} was removed`)
    else compareSchemas(before[name] ?? {}, property, `${place}.${name}`, comparison)
  }
  for (const name of Object.keys(after)) {
    if (before[name] === undefined && !(direction === 'request' && isRequired.includes(name)))
      report(false, place, `the field ${name} was added`)
  }
  for (const name of isRequired.filter((field) => !wasRequired.includes(field))) {
    report(direction === 'request', place, `the field ${name} is now required`)
  }
  for (const name of wasRequired.filter((field) => !isRequired.includes(field) && after[field] !== undefined)) {
    report(direction === 'response', place, `the field ${name} may now be absent`)
  }
  if (
    direction === 'request' &&
    old.additionalProperties !== false &&
    now.additionalProperties === false &&
    old.type !== undefined
  ) {
    report(true, place, 'other fields are now rejected')
  }
}

const compareVariants = (
  kind: 'oneOf' | 'anyOf' | 'allOf',
  old: Schema,
  now: Schema,
  place: string,
  comparison: SchemaComparison
): void => {
  const [before, after] = [old[kind] ?? [], now[kind] ?? []]
  const added = after.length - before.length
  // More members of an `allOf` accept less; more alternatives accept more.
  const acceptsLess = kind === 'allOf' ? added > 0 : added < 0
  if (added !== 0)
    comparison.report(
      acceptsLess === (comparison.direction === 'request'),
      place,
      `${kind} has ${Math.abs(added)} ${added > 0 ? 'more' : 'fewer'} variants`
    )
  for (const [index, variant] of before.slice(0, after.length).entries())
    compareSchemas(variant, after[index] ?? {}, `${place}.${kind}[${index}]`, comparison)
}

/** Reports how a schema changed for clients that send it (requests) or read it (responses). */
export const compareSchemas = (
  oldSchema: Schema = {},
  newSchema: Schema = {},
  place: string,
  comparison: SchemaComparison
): void => {
  const pair = `${oldSchema.$ref ?? ''} ${newSchema.$ref ?? ''}`
  if (oldSchema.$ref !== undefined || newSchema.$ref !== undefined) {
    if (comparison.seen.has(pair)) return
    comparison = { ...comparison, seen: new Set([...comparison.seen, pair]) }
  }
  const [old, now] = [resolve(comparison.before, oldSchema), resolve(comparison.after, newSchema)]
  compareSets('the type', typesOf(old), typesOf(now), place, comparison)
  compareSets('the value', valuesOf(old), valuesOf(now), place, comparison)
  if (comparison.direction === 'request') compareLimits(old, now, place, comparison.report)
  compareProperties(old, now, place, comparison)
  if (old.items !== undefined && now.items !== undefined) compareSchemas(old.items, now.items, `${place}[]`, comparison)
  if (isObject(old.additionalProperties) && isObject(now.additionalProperties))
    compareSchemas(old.additionalProperties, now.additionalProperties, `${place}.*`, comparison)
  for (const kind of ['oneOf', 'anyOf', 'allOf'] as const) compareVariants(kind, old, now, place, comparison)
}
