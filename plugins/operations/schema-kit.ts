import { Type } from '@sinclair/typebox'
import type { SchemaOptions, Static, TSchema, TUnion, TUnsafe } from '@sinclair/typebox'

/**
 * TypeBox builders for the JSON Schemas of OpenAPI 3.1. The generated files use them. They emit only forms that both
 * ajv and fast-json-stringify handle efficiently.
 */

/** The schema or null, as `type: [t, 'null']`; a union would disable defaults in ajv and slow down the serializer. */
export const Nullable = <T extends TSchema>(schema: T): TUnsafe<Static<T> | null> => {
  const values = schema['enum'] as readonly unknown[] | undefined
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [schema['type'], 'null'],
    ...(values === undefined ? {} : { enum: [...values, null] })
  })
}

/** One of the given strings, as `enum` instead of a union of constants. */
export const StringEnum = <const T extends readonly string[]>(
  values: T,
  options: SchemaOptions = {}
): TUnsafe<T[number]> => Type.Unsafe<T[number]>({ ...options, type: 'string', enum: values })

/** Exactly one of the schemas (TypeBox's own Union is `anyOf`). */
export const OneOf = <T extends TSchema[]>(schemas: [...T], options: SchemaOptions = {}): TUnsafe<Static<TUnion<T>>> =>
  Type.Unsafe<Static<TUnion<T>>>({ ...options, oneOf: schemas })

/** An object with arbitrary names and values of one schema. */
export const Dictionary = <T extends TSchema>(
  values: T,
  options: SchemaOptions = {}
): TUnsafe<Record<string, Static<T>>> =>
  Type.Unsafe<Record<string, Static<T>>>({ ...options, type: 'object', additionalProperties: values })

/** An object that keeps additional members and serializes them unchanged. */
export const Open = <T extends TSchema>(schema: T): TUnsafe<Static<T> & Record<string, unknown>> =>
  Type.Unsafe<Static<T> & Record<string, unknown>>({ ...schema, additionalProperties: true })

/** A recursive schema by name. Pass `recursiveSchemas` to `addSchema` first. */
export const Ref = <T>(name: string): TUnsafe<T> => Type.Unsafe<T>({ $ref: `${name}#` })
