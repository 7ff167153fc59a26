import type { Schema } from './model.ts'
import { SpecError, isObject, referenceName } from './model.ts'
import type { Schemas } from './schemas.ts'

/** Of use to other readers only. */
const LEFT_OUT = new Set(['example', 'examples', 'title', 'xml', 'externalDocs', 'discriminator', '$comment'])

/**
 * A schema that stands for itself, descriptions included: references are followed, `allOf` is one object, and what only other readers use is left out.
 * Steps of decimals are left out, too, since validators divide in binary and refuse 4218.5 for 0.01; the operation checks them in earnest.
 */
export function inlined(schema: Schema, schemas: Schemas, where: string, within: readonly string[] = []): Schema {
  const { $ref, allOf, ...own } = schema
  if ($ref !== undefined) {
    const name = referenceName($ref)
    if (within.includes(name))
      throw new SpecError([
        `${where}: ${name} leads back to itself, and a tool's schema cannot; do not mark the operation.`
      ])
    return inlined({ ...schemas.get(name), ...own, ...(allOf === undefined ? {} : { allOf }) }, schemas, where, [
      ...within,
      name
    ])
  }
  const visit = (inner: Schema) => inlined(inner, schemas, where, within)
  const result: Schema = {}
  for (const [keyword, value] of Object.entries(own)) {
    if (LEFT_OUT.has(keyword) || keyword.startsWith('x-')) continue
    if (keyword === 'multipleOf' && !Number.isInteger(value)) continue
    result[keyword] = visited(keyword, value, visit)
  }
  return (allOf ?? []).map(visit).reduceRight(merged, result)
}

function visited(keyword: string, value: unknown, visit: (schema: Schema) => Schema): unknown {
  if (keyword === 'properties' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, property]) => [name, visit(property as Schema)]))
  }
  if ((keyword === 'oneOf' || keyword === 'anyOf') && Array.isArray(value))
    return value.map((member) => visit(member as Schema))
  if (['items', 'additionalProperties', 'not'].includes(keyword) && isObject(value)) return visit(value)
  return value
}

/** The member of an `allOf` under what is said beside it, which wins. */
function merged(over: Schema, under: Schema): Schema {
  const properties = { ...under.properties, ...over.properties }
  const required = [...new Set([...(under.required ?? []), ...(over.required ?? [])])]
  return {
    ...under,
    ...over,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {})
  }
}
