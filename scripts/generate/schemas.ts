import { SpecError, isObject, referenceName, type Schema } from './model.ts'

/** Keywords that do not validate. They stay in the bundle and are omitted from the generated code. */
const annotations = new Set([
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

/** Component schemas by name. */
export class Schemas {
  /** Names of the schemas that reference themselves, directly or not. */
  readonly recursive: ReadonlySet<string>

  constructor(private readonly byName: Record<string, Schema>) {
    this.recursive = findRecursive(byName)
  }

  get(name: string): Schema {
    const schema = this.byName[name]
    if (schema === undefined) throw new SpecError([`components.schemas.${name} does not exist. Correct the reference.`])
    return schema
  }

  names(): string[] {
    return Object.keys(this.byName)
  }

  /** The schema without annotations, with references followed and an `allOf` of objects merged into one. */
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
            `allOf sets ${keyword} to ${JSON.stringify(result[keyword])} and to ${JSON.stringify(value)}. Set it once.`
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

/** Extensions that the server reads: `x-message` says in words what a `pattern` requires. */
const readExtensions = new Set(['x-message'])

/** The validating keywords of a schema, without annotations and without extensions that the server does not read. */
export const constraints = (schema: Schema): Schema =>
  Object.fromEntries(
    Object.entries(schema).filter(
      ([keyword]) => !annotations.has(keyword) && (!keyword.startsWith('x-') || readExtensions.has(keyword))
    )
  )

/** Names of the component schemas that a schema references, at any depth. */
export const referencesOf = (node: unknown, found = new Set<string>()): Set<string> => {
  if (Array.isArray(node)) node.forEach((item) => referencesOf(item, found))
  else if (isObject(node)) {
    for (const [key, value] of Object.entries(node)) {
      if (key === '$ref' && typeof value === 'string') found.add(referenceName(value))
      else if (key !== 'example' && key !== 'examples') referencesOf(value, found)
    }
  }
  return found
}

const findRecursive = (byName: Record<string, Schema>): Set<string> => {
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

/** The names, each after those that its schema references. */
export const inOrderOfUse = (names: readonly string[], schemas: Schemas): string[] => {
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
