import { referenceName, type Schema } from './model.ts'
import { literal, propertyKey } from './print.ts'
import { constraints, type Schemas } from './schemas.ts'

/**
 * Prints the TypeScript type of a schema. Only recursive schemas and unions of types need it; TypeBox infers the others.
 * @param use called with the name of each component in the type
 */
export const staticType = (schema: Schema, schemas: Schemas, use: (name: string) => void): string => {
  const print = (inner: Schema) => staticType(inner, schemas, use)
  const bare = constraints(schema)
  if (bare.$ref !== undefined) {
    use(referenceName(bare.$ref))
    return referenceName(bare.$ref)
  }
  const plain = schemas.plain(bare)
  if (plain.allOf) return plain.allOf.map((member) => `(${print(member)})`).join(' & ')
  const alternatives = plain.oneOf ?? plain.anyOf
  if (alternatives) return alternatives.map(print).join(' | ')
  if (plain.const !== undefined) return literal(plain.const)
  if (plain.enum) return plain.enum.map(literal).join(' | ')
  if (Array.isArray(plain.type)) return plain.type.map((type) => print({ ...plain, type })).join(' | ')
  switch (plain.type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return plain.items ? `(${print(plain.items)})[]` : 'unknown[]'
    case 'object':
      return objectType(plain, print)
    default:
      return 'unknown'
  }
}

const objectType = (plain: Schema, print: (schema: Schema) => string): string => {
  const { additionalProperties: others } = plain
  const members = Object.entries(plain.properties ?? {}).map(([key, property]) => {
    const present = plain.required?.includes(key) === true || property.default !== undefined
    return `${propertyKey(key)}${present ? '' : '?'}: ${print(property)}`
  })
  if (members.length === 0) return `Record<string, ${typeof others === 'object' ? print(others) : 'unknown'}>`
  const named = `{ ${members.join(', ')} }`
  return others === undefined || others === false ? named : `${named} & Record<string, unknown>`
}
