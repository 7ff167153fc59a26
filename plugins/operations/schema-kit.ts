import { Type } from '@sinclair/typebox'
import type { SchemaOptions, Static, TSchema, TUnion, TUnsafe } from '@sinclair/typebox'

/**
 * What TypeBox lacks for JSON Schemas as OpenAPI 3.1 writes them. The generated files build on these, because each
 * keeps to forms that ajv and fast-json-stringify both treat well.
 */

/** The schema or null, as `type: [t, 'null']`; a union would cost ajv its defaults and the serialiser its speed. */
export function Nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  const values = schema['enum'] as readonly unknown[] | undefined
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [schema['type'], 'null'],
    ...(values === undefined ? {} : { enum: [...values, null] })
  })
}

/** One of the given strings, as `enum` and not as a union of constants. */
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

/** An object with free names, all of one schema. */
export function Dictionary<T extends TSchema>(
  values: T,
  options: SchemaOptions = {}
): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ ...options, type: 'object', additionalProperties: values })
}

/** An object whose unnamed members are kept, too: unknown to the compiler, serialised as they are. */
export function Open<T extends TSchema>(schema: T): TUnsafe<Static<T> & Record<string, unknown>> {
  return Type.Unsafe<Static<T> & Record<string, unknown>>({ ...schema, additionalProperties: true })
}

/** A recursive schema by its name; `recursiveSchemas` must have been given to `addSchema` before. */
export function Ref<T>(name: string): TUnsafe<T> {
  return Type.Unsafe<T>({ $ref: `${name}#` })
}
