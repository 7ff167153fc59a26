import ajvFormats from 'ajv-formats'
import { _, Ajv, str, type KeywordDefinition, type Options, type ValidateFunction } from 'ajv'
import fastJson, { type Schema } from 'fast-json-stringify'
import type { FastifySchema, FastifySchemaCompiler } from 'fastify'
import { recursiveSchemas } from '../../spec/generated/index.ts'
import type { Operation } from './table.ts'

const options: Options = {
  removeAdditional: false,
  useDefaults: true,
  strict: false
}

/**
 * `multipleOf` for decimal steps. Ajv divides, and in binary floating point 4218.5 / 0.01 is not an integer. Here a number is a multiple of 0.01
 * when rounding it to two decimals does not change it.
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

/** Longer texts than allowed are matched up to this length, because what a pattern requires explains more than a length. */
const longestMatched = 1_000

/**
 * `pattern`, but not for texts far above `maxLength`, which are invalid already: with `allErrors`, Ajv would match patterns of texts of any length.
 */
const boundedPattern: KeywordDefinition = {
  keyword: 'pattern',
  type: 'string',
  schemaType: 'string',
  compile: (pattern: string, parentSchema) => {
    const expression = new RegExp(pattern, 'u')
    const longest = Math.max(Number(parentSchema['maxLength'] ?? Infinity), longestMatched)
    return (text: string) => text.length > longest || expression.test(text)
  },
  error: {
    message: ({ schema }) => str`must match pattern "${schema as string}"`,
    params: ({ schema }) => _`{pattern: ${schema as string}}`
  }
}

/** Whether the text is an existing day from the year 1 on, which the database can store. */
const isDay = (text: string): boolean => {
  if (!/^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

const firstMomentMs = Date.parse('0001-01-01T00:00:00Z')
const afterLastMomentMs = Date.parse('9999-12-31T23:59:59.999Z') + 1

/** Whether the text is an RFC 3339 time that JavaScript and PostgreSQL support: no leap seconds, and a four-digit year in UTC, the time zone of responses. */
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
  for (const keyword of [decimalMultipleOf, boundedPattern]) {
    ajv.removeKeyword(keyword.keyword as string)
    ajv.addKeyword(keyword)
  }
  for (const schema of recursiveSchemas) ajv.addSchema(schema)
  return ajv
}

/** Compiles each schema object once: operations, and all servers of this process, share schemas. */
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

/** Compiles a schema on its first use, because compiling all schemas at startup takes a second. */
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

/** A value with more members than this is not searched for all its faults, which would block the event loop. */
const mostMembers = 5_000

/** Whether a value has at most `mostMembers` members, at any depth. */
const isSmall = (value: unknown): boolean => {
  const open = [value]
  for (let members = 0; open.length > 0;) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    const found: unknown[] = Object.values(next)
    members += found.length
    if (members > mostMembers) return false
    open.push(...found)
  }
  return true
}

/** Stops at the first fault. Only then, and only a small value, is searched for all of them. */
const compileForRequests = (extra: Options) => {
  // Sentences about a fault need its schema and value.
  const first = compileWith(createAjv({ ...extra, verbose: true }))
  const all = compileWith(createAjv({ ...extra, verbose: true, allErrors: true }))
  return compileOnce((schema) => {
    const validate = Object.assign(
      (data: unknown): boolean => {
        if (first(schema)(data)) return true
        validate.errors = first(schema).errors
        if (isSmall(data) && !all(schema)(data)) validate.errors = all(schema).errors
        return false
      },
      { errors: undefined as ValidateFunction['errors'] }
    )
    return validate
  })
}

const strict = compileForRequests({ coerceTypes: false })
const coercing = compileForRequests({ coerceTypes: 'array' })
const answerAjv = createAjv({ coerceTypes: false, useDefaults: false, allErrors: true })
const ofAnswer = compileWith(answerAjv)
const serialiser = compileOnce((schema) =>
  fastJson(schema as Schema, {
    schema: Object.fromEntries(
      (recursiveSchemas as readonly (Schema & { $id?: string })[]).map((recursive) => [recursive.$id ?? '', recursive])
    )
  })
)

/** Returns the function that serializes bodies of a schema. */
export const serialiserOf: (schema: object) => (body: unknown) => string = serialiser

/** Describes how a response violates the specification; undefined when it is valid. */
export const checkAnswer = (schema: object, body: unknown): string | undefined => {
  const validate = ofAnswer(schema)
  return validate(body) ? undefined : answerAjv.errorsText(validate.errors, { dataVar: 'answer' })
}

const noParameters = { type: 'object', properties: {} }

/** The schema of a query that has no other parameters than these. */
const closed = compileOnce((query) => ({ ...query, additionalProperties: false }))

/** Pages that links of other sites lead to, and webhooks of other services, ignore query parameters that they do not know. */
const isOpenQuery = ({ extensions }: Operation): boolean =>
  extensions?.['x-open-query'] === true || extensions?.['x-signed-by'] !== undefined

/** The parts of an operation's schema that Fastify validates. `createSerialisers` uses the response schemas. */
export const requestSchemaOf = (operation: Operation): FastifySchema => {
  const { response: _response, ...request } = operation.schema
  return isOpenQuery(operation) ? request : { ...request, querystring: closed(request.querystring ?? noParameters) }
}

/**
 * Validates an operation's requests by the specification's schemas. Text (path, query, headers, forms) is coerced to the specified type. JSON is not:
 * `"amount": "25"` is rejected.
 */
export const createValidator = ({ bodyTypes }: Operation): FastifySchemaCompiler<FastifySchema & object> => {
  const isForm = bodyTypes.includes('application/x-www-form-urlencoded')
  return ({ schema, httpPart }) => (httpPart === 'body' && !isForm ? strict(schema) : coercing(schema))
}
