import { SpecError, isObject, referenceName, type Schema } from './model.ts'
import type { Schemas } from './schemas.ts'

/** Keywords that MCP clients do not need. */
const omittedKeywords = new Set(['example', 'examples', 'title', 'xml', 'externalDocs', 'discriminator', '$comment'])

/**
 * A self-contained schema: references are followed, `allOf` becomes one object, descriptions stay. Decimal `multipleOf` is
 * omitted, because validators that divide in binary reject 4218.5 for 0.01; the operation checks it.
 * @throws SpecError for a recursive schema
 */
export const inlined = (schema: Schema, schemas: Schemas, where: string, within: readonly string[] = []): Schema => {
  const { $ref, allOf, ...own } = schema
  if ($ref !== undefined) {
    const name = referenceName($ref)
    if (within.includes(name))
      throw new SpecError([
        `${where}: ${name} is recursive, which a tool's schema cannot be. Remove x-mcp from the operation.`
      ])
    return inlined({ ...schemas.get(name), ...own, ...(allOf === undefined ? {} : { allOf }) }, schemas, where, [
      ...within,
      name
    ])
  }
  const visit = (inner: Schema) => inlined(inner, schemas, where, within)
  const result: Schema = {}
  for (const [keyword, value] of Object.entries(own)) {
    if (omittedKeywords.has(keyword) || keyword.startsWith('x-')) continue
    if (keyword === 'multipleOf' && !Number.isInteger(value)) continue
    result[keyword] = visited(keyword, value, visit)
  }
  return (allOf ?? []).map(visit).reduceRight(merged, result)
}

const visited = (keyword: string, value: unknown, visit: (schema: Schema) => Schema): unknown => {
  if (keyword === 'properties' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, property]) => [name, visit(property as Schema)]))
  }
  if ((keyword === 'oneOf' || keyword === 'anyOf') && Array.isArray(value))
    return value.map((member) => visit(member as Schema))
  if (['items', 'additionalProperties', 'not'].includes(keyword) && isObject(value)) return visit(value)
  return value
}

/** Merges a member of an `allOf`; `over` takes precedence. */
const merged = (over: Schema, under: Schema): Schema => {
  const properties = { ...under.properties, ...over.properties }
  const required = [...new Set([...(under.required ?? []), ...(over.required ?? [])])]
  return {
    ...under,
    ...over,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {})
  }
}
