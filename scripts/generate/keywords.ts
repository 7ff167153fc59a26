import { SpecError, type Schema } from './model.ts'
import { referencesOf } from './schemas.ts'

/** Keywords that the TypeBox expression states by itself, and not in its options. */
export const structuralKeywords = [
  'type',
  'properties',
  'required',
  'items',
  'allOf',
  'oneOf',
  'anyOf',
  'enum',
  'const',
  'discriminator'
]
/** The structural keywords of an object. Alternatives that only require members stay among its options. */
export const objectKeywords = ['type', 'properties', 'required']

const numberKeywords = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'format']
const keywordsByType: Record<string, readonly string[]> = {
  string: ['minLength', 'maxLength', 'pattern', 'format', 'x-message'],
  number: numberKeywords,
  integer: numberKeywords,
  array: ['minItems', 'maxItems', 'uniqueItems'],
  object: ['minProperties', 'maxProperties', 'additionalProperties', 'propertyNames', 'not']
}

/** Rejects keywords that the generated code would lose, and references that the validator could not follow. */
export const rejectUnknownKeywords = (plain: Schema, where: string): void => {
  const types = [plain.type ?? 'object'].flat()
  const known = [...structuralKeywords, 'default', ...types.flatMap((type) => keywordsByType[type] ?? [])]
  const unknown = Object.keys(plain).find((keyword) => !known.includes(keyword))
  if (unknown !== undefined) {
    throw new SpecError([
      `${where}: the generator does not support '${unknown}' with type ${types.join(', ')}. ` +
        'Remove it, or add it to scripts/generate/keywords.ts.'
    ])
  }
  if (referencesOf([plain.not, plain['propertyNames']]).size > 0)
    throw new SpecError([`${where}: not and propertyNames cannot contain references. Write the schema in place.`])
}
