import ajvFormats from 'ajv-formats'
import { _, Ajv, str, type KeywordDefinition, type Options, type ValidateFunction } from 'ajv'
import fastJson, { type Schema } from 'fast-json-stringify'
import type { FastifySchema, FastifySchemaCompiler } from 'fastify'
import { recursiveSchemas } from '../../spec/generated/index.ts'
import type { Operation } from './table.ts'

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
    return decimals === 0
      ? (value: number) => value % step === 0
      : (value: number) => Number(value.toFixed(decimals)) === value
  },
  error: {
    message: ({ schema }) => str`must be a multiple of ${schema as number}`,
    params: ({ schema }) => _`{multipleOf: ${schema as number}}`
  }
}

/** A day that exists, from the year 1 on; what the database has no day for is refused here. */
const isDay = (text: string): boolean => {
  if (!/^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

const firstMomentMs = Date.parse('0001-01-01T00:00:00Z')
const afterLastMomentMs = Date.parse('9999-12-31T23:59:59.999Z') + 1

/** A moment of RFC 3339 that JavaScript and PostgreSQL know: none has leap seconds. The year has four digits in UTC too, since answers are in UTC. */
const isMoment = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(text) || !isDay(text.slice(0, 10)))
    return false
  const time = Date.parse(text.toUpperCase())
  return time >= firstMomentMs && time < afterLastMomentMs
}

const createAjv = (extra: Options): Ajv => {
  const ajv = new Ajv({ ...options, ...extra })
  ajvFormats.default(ajv)
  ajv.addFormat('date', isDay)
  ajv.addFormat('date-time', isMoment)
  ajv.removeKeyword('multipleOf')
  ajv.addKeyword(decimalMultipleOf)
  for (const schema of recursiveSchemas) ajv.addSchema(schema)
  return ajv
}

/** Compiles something once for each schema object: operations share their schemas, and the schemas are the same for every server of this process. */
const compileOnce = <Compiled>(compile: (schema: object) => Compiled): ((schema: object) => Compiled) => {
  const compiled = new WeakMap<object, Compiled>()
  return (schema) => {
    const known = compiled.get(schema)
    if (known !== undefined) return known
    const fresh = compile(schema)
    compiled.set(schema, fresh)
    return fresh
  }
}

/** Compiles a schema on its first use, since most of the schemas are not used soon after a start and all of them take a second. */
const lazily = (compile: () => ValidateFunction): Pick<ValidateFunction, 'errors'> & ((data: unknown) => boolean) => {
  let compiled: ValidateFunction | undefined
  const validate = Object.assign(
    (data: unknown): boolean => {
      compiled ??= compile()
      const valid = compiled(data)
      validate.errors = compiled.errors
      return valid
    },
    { errors: undefined as ValidateFunction['errors'] }
  )
  return validate
}

const compileWith = (ajv: Ajv) => compileOnce((schema) => lazily(() => ajv.compile(schema)))

const strict = compileWith(createAjv({ coerceTypes: false }))
const coercing = compileWith(createAjv({ coerceTypes: 'array' }))
const answerAjv = createAjv({ coerceTypes: false, useDefaults: false })
const ofAnswer = compileWith(answerAjv)
const serialiser = compileOnce((schema) =>
  fastJson(schema as Schema, {
    schema: Object.fromEntries(
      (recursiveSchemas as readonly (Schema & { $id?: string })[]).map((recursive) => [recursive.$id ?? '', recursive])
    )
  })
)

/** A response's body, byte for byte as it is sent with this status. */
export const serialiseAnswer = (operation: Operation, status: number, body: unknown): string =>
  serialiser(operation.schema.response[status] ?? {})(body)

/** What is wrong with a response by the specification; undefined when it is as described. */
export const checkAnswer = (schema: object, body: unknown): string | undefined => {
  const validate = ofAnswer(schema)
  return validate(body) ? undefined : answerAjv.errorsText(validate.errors, { dataVar: 'answer' })
}

/** The parts of an operation's schema that Fastify validates; `createSerialiser` has those of the responses. */
export const requestSchemaOf = ({ schema }: Operation): FastifySchema => {
  const { response: _response, ...request } = schema
  return request
}

/**
 * Validates an operation's requests by the specification's schemas. What comes as text (path, query, headers, forms) is coerced to the described type;
 * JSON is taken as it is, so that `"amount": "25"` is refused and not guessed.
 */
export const createValidator = ({ bodyTypes }: Operation): FastifySchemaCompiler<FastifySchema & object> => {
  const isForm = bodyTypes.includes('application/x-www-form-urlencoded')
  return ({ schema, httpPart }) => (httpPart === 'body' && !isForm ? strict(schema) : coercing(schema))
}
