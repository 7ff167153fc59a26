import { isObject, type Schema } from '../generate/model.ts'
import type { Report, Side } from './compare.ts'

/** Whether a schema is of what a client sends, where less is breaking, or of what it reads, where more is. */
export type Direction = 'request' | 'answer'

export interface SchemaComparison {
  before: Side
  after: Side
  direction: Direction
  report: Report
  /** Pairs of schemas that are being compared, so that a recursive one comes to an end. */
  seen: Set<string>
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

/** What `narrow` admits and `wide` does not; undefined stands for everything. */
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
  if (gone.length > 0) report(direction === 'request', place, `${what} no longer admits ${gone.join(', ')}`)
  if (added.length > 0) report(direction === 'answer', place, `${what} now admits ${added.join(', ')}`)
}

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value))

/** Limits on what a client sends; a limit on an answer only tells what may come, and nobody breaks when it moves. */
const compareLimits = (old: Schema, now: Schema, place: string, report: Report): void => {
  const compareBound = (name: string, sign: 1 | -1): void => {
    const [before, after] = [old[name], now[name]]
    if (before === after) return
    const stricter = typeof after === 'number' && (typeof before !== 'number' || sign * after < sign * before)
    report(stricter, place, `${name} was ${show(before)} and is ${show(after)}`)
  }
  for (const name of upperBounds) compareBound(name, 1)
  for (const name of lowerBounds) compareBound(name, -1)
  for (const name of exactRules) {
    const [before, after] = [old[name], now[name]]
    if (before !== after)
      report(after !== undefined && after !== false, place, `${name} was ${show(before)} and is ${show(after)}`)
  }
}

const compareProperties = (old: Schema, now: Schema, place: string, comparison: SchemaComparison): void => {
  const { direction, report } = comparison
  const [before, after] = [old.properties ?? {}, now.properties ?? {}]
  const [wasRequired, isRequired] = [old.required ?? [], now.required ?? []]
  for (const name of Object.keys(before)) {
    const property = after[name]
    if (property === undefined) report(true, place, `the field ${name} is gone`)
    else compareSchemas(before[name] ?? {}, property, `${place}.${name}`, comparison)
  }
  for (const name of Object.keys(after)) {
    if (before[name] === undefined && !(direction === 'request' && isRequired.includes(name)))
      report(false, place, `the field ${name} is new`)
  }
  for (const name of isRequired.filter((field) => !wasRequired.includes(field))) {
    report(direction === 'request', place, `the field ${name} is now required`)
  }
  for (const name of wasRequired.filter((field) => !isRequired.includes(field) && after[field] !== undefined)) {
    report(direction === 'answer', place, `the field ${name} may now be absent`)
  }
  if (
    direction === 'request' &&
    old.additionalProperties !== false &&
    now.additionalProperties === false &&
    old.type !== undefined
  ) {
    report(true, place, 'other fields are now refused')
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
  const { direction, report } = comparison
  if (before.length > after.length)
    report(
      kind === 'allOf' ? direction === 'answer' : direction === 'request',
      place,
      `${kind} has ${before.length - after.length} variants fewer`
    )
  if (before.length < after.length)
    report(
      kind === 'allOf' ? direction === 'request' : direction === 'answer',
      place,
      `${kind} has ${after.length - before.length} variants more`
    )
  for (const [index, variant] of before.slice(0, after.length).entries())
    compareSchemas(variant, after[index] ?? {}, `${place}.${kind}[${index}]`, comparison)
}

/** Reports how a schema changed for whoever sends or reads what it describes. */
export const compareSchemas = (
  oldSchema: Schema,
  newSchema: Schema,
  place: string,
  comparison: SchemaComparison
): void => {
  const pair = `${oldSchema.$ref ?? ''} ${newSchema.$ref ?? ''}`
  if (oldSchema.$ref !== undefined || newSchema.$ref !== undefined) {
    if (comparison.seen.has(pair)) return
    comparison = { ...comparison, seen: new Set([...comparison.seen, pair]) }
  }
  const [old, now] = [comparison.before.resolve(oldSchema), comparison.after.resolve(newSchema)]
  compareSets('its type', typesOf(old), typesOf(now), place, comparison)
  compareSets('it', valuesOf(old), valuesOf(now), place, comparison)
  if (comparison.direction === 'request') compareLimits(old, now, place, comparison.report)
  compareProperties(old, now, place, comparison)
  if (old.items !== undefined && now.items !== undefined) compareSchemas(old.items, now.items, `${place}[]`, comparison)
  if (isObject(old.additionalProperties) && isObject(now.additionalProperties))
    compareSchemas(old.additionalProperties, now.additionalProperties, `${place}.*`, comparison)
  for (const kind of ['oneOf', 'anyOf', 'allOf'] as const) compareVariants(kind, old, now, place, comparison)
}
