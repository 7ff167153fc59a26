import type { Schema } from './model.ts'
import { SpecError, isObject, referenceName } from './model.ts'

/** For readers, not for validation; kept in the bundle, left out of the code. */
const ANNOTATIONS = new Set([
  'title',
  'description',
  'example',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'externalDocs',
  'xml',
  '$comment'
])

/** Component schemas by name, and the readings of them that printing needs. */
export class Schemas {
  readonly recursive: ReadonlySet<string>
  private readonly byName: Record<string, Schema>

  constructor(byName: Record<string, Schema>) {
    this.byName = byName
    this.recursive = findRecursive(byName)
  }

  get(name: string): Schema {
    const schema = this.byName[name]
    if (schema === undefined) throw new SpecError([`components.schemas.${name} does not exist; correct the reference.`])
    return schema
  }

  names(): string[] {
    return Object.keys(this.byName)
  }

  /** The schema without annotations, references followed and object `allOf` made one flat object. */
  plain(schema: Schema): Schema {
    const { $ref, ...siblings } = constraints(schema)
    const own = $ref === undefined ? siblings : { ...this.plain(this.get(referenceName($ref))), ...siblings }
    return own.allOf === undefined ? own : this.flatten(own, own.allOf)
  }

  private flatten({ allOf: _allOf, ...own }: Schema, members: Schema[]): Schema {
    const parts = [...members.map((member) => this.plain(member)), own]
    if (parts.some((part) => part.oneOf ?? part.anyOf ?? part.allOf)) return { ...own, allOf: members }
    const result: Schema = {}
    for (const { properties, required, additionalProperties, ...rest } of parts) {
      for (const [keyword, value] of Object.entries(rest)) {
        if (keyword in result && JSON.stringify(result[keyword]) !== JSON.stringify(value)) {
          throw new SpecError([
            `allOf gives ${keyword} two values, ${JSON.stringify(result[keyword])} and ${JSON.stringify(value)}; say it once.`
          ])
        }
        result[keyword] = value
      }
      if (properties) result.properties = { ...result.properties, ...properties }
      if (required) result.required = [...new Set([...(result.required ?? []), ...required])]
      if (additionalProperties !== undefined && result.additionalProperties !== false)
        result.additionalProperties = additionalProperties
    }
    if (result.properties !== undefined) result.type ??= 'object'
    return result
  }
}

/** The keywords that validate, without annotations and extensions. */
export function constraints(schema: Schema): Schema {
  return Object.fromEntries(
    Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.has(keyword) && !keyword.startsWith('x-'))
  )
}

/** The component schemas that a schema names anywhere. */
export function referencesOf(node: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(node)) node.forEach((item) => referencesOf(item, found))
  else if (isObject(node)) {
    for (const [key, value] of Object.entries(node)) {
      if (key === '$ref' && typeof value === 'string') found.add(referenceName(value))
      else if (key !== 'example' && key !== 'examples') referencesOf(value, found)
    }
  }
  return found
}

/** The schemas that lead back to themselves. */
function findRecursive(byName: Record<string, Schema>): Set<string> {
  const edges = new Map(Object.entries(byName).map(([name, schema]) => [name, referencesOf(schema)]))
  const recursive = new Set<string>()
  for (const name of edges.keys()) {
    const reached = new Set<string>()
    const pending = [...(edges.get(name) ?? [])]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (reached.has(next)) continue
      reached.add(next)
      pending.push(...(edges.get(next) ?? []))
    }
    if (reached.has(name)) recursive.add(name)
  }
  return recursive
}

/** Names so ordered that each comes after those that its schema is built of. */
export function inOrderOfUse(names: readonly string[], schemas: Schemas): string[] {
  const ordered = new Set<string>()
  const visit = (name: string, from: ReadonlySet<string>): void => {
    if (ordered.has(name) || from.has(name)) return
    const path = new Set([...from, name])
    for (const next of [...referencesOf(schemas.get(name))].filter((next) => names.includes(next))) visit(next, path)
    ordered.add(name)
  }
  for (const name of [...names].sort()) visit(name, new Set())
  return [...ordered]
}
