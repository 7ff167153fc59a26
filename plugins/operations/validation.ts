import ajvFormats from 'ajv-formats'
import { _, Ajv, str, type KeywordDefinition, type Options, type ValidateFunction } from 'ajv'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { recursiveSchemas } from '../../spec/generated/index.ts'

const options: Options = {
  allErrors: true,
  removeAdditional: false,
  useDefaults: true,
  strict: false
}

/**
 * `multipleOf` for decimal steps. Ajv divides, and binary floating point makes 4218.5 / 0.01 no whole number; here a number is a multiple of
 * 0.01 when it is what its own text with two decimals says.
 */
const decimalMultipleOf: KeywordDefinition = {
  keyword: 'multipleOf',
  type: 'number',
  schemaType: 'number',
  compile: (step: number) => {
    const decimals = String(step).split('.')[1]?.length ?? 0
    return decimals === 0 ? (value: number) => value % step === 0 : (value: number) => Number(value.toFixed(decimals)) === value
  },
  error: { message: ({ schema }) => str`must be a multiple of ${schema as number}`, params: ({ schema }) => _`{multipleOf: ${schema as number}}` }
}

const createAjv = (extra: Options): Ajv => {
  const ajv = new Ajv({ ...options, ...extra })
  ajvFormats.default(ajv)
  ajv.removeKeyword('multipleOf')
  ajv.addKeyword(decimalMultipleOf)
  for (const schema of recursiveSchemas) ajv.addSchema(schema)
  return ajv
}

/** Compiles a validator once for each schema object, since many operations share their schemas. */
const compileOnce = (ajv: Ajv) => {
  const compiled = new WeakMap<object, ValidateFunction>()
  return (schema: object): ValidateFunction => {
    const known = compiled.get(schema)
    if (known !== undefined) return known
    const validate = ajv.compile(schema)
    compiled.set(schema, validate)
    return validate
  }
}

/** Checks an answer against the specification; undefined when it is as described. */
export const createAnswerCheck = (): ((schema: object, body: unknown) => string | undefined) => {
  const ajv = createAjv({ coerceTypes: false, useDefaults: false })
  const compile = compileOnce(ajv)
  return (schema, body) => {
    const validate = compile(schema)
    return validate(body) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'answer' })
  }
}

/**
 * Validates requests by the specification's schemas. What comes as text (path, query, headers, forms) is coerced to the type that is described; JSON is
 * taken as it is, so that `"amount": "25"` is refused and not guessed.
 */
export const addValidation = (app: FastifyInstance): void => {
  for (const schema of recursiveSchemas) app.addSchema(schema)
  const strict = compileOnce(createAjv({ coerceTypes: false }))
  const coercing = compileOnce(createAjv({ coerceTypes: 'array' }))
  app.setValidatorCompiler<FastifySchema & object>(({ schema, httpPart }) =>
    httpPart === 'body' && !formSchemas.has(schema) ? strict(schema) : coercing(schema)
  )
}

const formSchemas = new WeakSet<object>()

/** Marks a body's schema as that of a form, whose fields all come as text. */
export const markAsForm = (schema: object): void => {
  formSchemas.add(schema)
}
