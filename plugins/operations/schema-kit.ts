import { Type } from '@sinclair/typebox'
import type { SchemaOptions, Static, TSchema, TUnion, TUnsafe } from '@sinclair/typebox'

/**
 * TypeBox builders for the JSON Schemas of OpenAPI 3.1. The generated files use them. They emit only forms that both
 * ajv and fast-json-stringify handle efficiently.
 */

/** The schema or null, as `type: [t, 'null']`; a union would disable defaults in ajv and slow down the serializer. */
export function Nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  const values = schema['enum'] as readonly unknown[] | undefined
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [schema['type'], 'null'],
    ...(values === undefined ? {} : { enum: [...values, null] })
  })
}

/** One of the given strings, as `enum` instead of a union of constants. */
export function StringEnum<const T extends readonly string[]>(
  values: T,
  options: SchemaOptions = {}
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ ...options, type: 'string', enum: values })
}

/** Exactly one of the schemas (TypeBox's own Union is `anyOf`). */
export function OneOf<T extends TSchema[]>(schemas: [...T], options: SchemaOptions = {}): TUnsafe<Static<TUnion<T>>> {
  return Type.Unsafe<Static<TUnion<T>>>({ ...options, oneOf: schemas })
}

/** An object with arbitrary names and values of one schema. */
export function Dictionary<T extends TSchema>(
  values: T,
  options: SchemaOptions = {}
): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ ...options, type: 'object', additionalProperties: values })
}

/** An object that keeps additional members and serializes them unchanged. */
export function Open<T extends TSchema>(schema: T): TUnsafe<Static<T> & Record<string, unknown>> {
  return Type.Unsafe<Static<T> & Record<string, unknown>>({ ...schema, additionalProperties: true })
}

/** A recursive schema by name. Pass `recursiveSchemas` to `addSchema` first. */
export function Ref<T>(name: string): TUnsafe<T> {
  return Type.Unsafe<T>({ $ref: `${name}#` })
}
