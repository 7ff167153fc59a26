import { Ajv, type AnySchemaObject, type ErrorObject } from 'ajv'
import envSchema from 'env-schema'
import { ConfigurationError, type ConfigurationProblem } from './error.ts'
import { formats } from './formats.ts'
import { brokenRules } from './rules.ts'
import { schemaOf, type Settings, type SettingSchema } from './settings.ts'

export type Environment = Record<string, string | undefined>

/** What a valid value of a setting is; completes the sentence "Set it to …". */
export const expectationOf = (schema: SettingSchema): string => {
  if (schema.expects !== undefined) return schema.expects
  if (schema.format !== undefined) return formats[schema.format]?.expects ?? schema.format
  if (schema.enum !== undefined) return `one of ${(schema.enum as string[]).join(', ')}`
  if (schema.type === 'integer') return `a whole number from ${schema.minimum} to ${schema.maximum}`
  return schema.type === 'boolean' ? 'true or false' : 'text'
}

const readFlag = (text: string): string => {
  if (/^(true|yes|on|1)$/i.test(text)) return 'true'
  return /^(false|no|off|0)$/i.test(text) ? 'false' : text
}

/** The settings among the environment variables: trimmed, without empty ones, every flag as `true` or `false`. */
const readSettings = (env: Environment): Environment =>
  Object.fromEntries(
    Object.entries(schemaOf).flatMap(([name, { type }]) => {
      const text = env[name]?.trim()
      if (text === undefined || text === '') return []
      return [[name, type === 'boolean' ? readFlag(text) : text]]
    })
  )

type EnvironmentName = Settings['NODE_ENV']

/** The schema of all settings with the defaults and requirements of one environment. */
const schemaFor = (environment: EnvironmentName) => {
  const properties = Object.entries(schemaOf).map(([name, schema]) => {
    const special = { development: undefined, test: schema.testDefault, production: schema.productionDefault }
    const value = special[environment]
    return [name, value === undefined ? schema : { ...schema, default: value }] as const
  })
  const required = Object.keys(schemaOf).filter((name) => schemaOf[name]?.requiredInProduction)
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: environment === 'production' ? required : []
  }
}

/** Kept, because Ajv compiles a schema object only once. */
const schemas: Record<EnvironmentName, AnySchemaObject> = {
  development: schemaFor('development'),
  test: schemaFor('test'),
  production: schemaFor('production')
}
const schemaOfEnvironment = (name: string | undefined) =>
  name === 'production' || name === 'test' ? schemas[name] : schemas.development

// Validating a fixed schema against the meta-schema would double the cost of loading the configuration.
const ajv = new Ajv({ allErrors: true, useDefaults: true, coerceTypes: true, validateSchema: false })
ajv.addVocabulary(['productionDefault', 'testDefault', 'withoutIt', 'requiredInProduction', 'expects'])
for (const [name, { isValid }] of Object.entries(formats)) ajv.addFormat(name, isValid)

/** The problem behind an error of Ajv, which names a setting by `/NAME`, or by `missingProperty` when it is missing. */
const toProblem = ({ instancePath, params }: ErrorObject): ConfigurationProblem => {
  const { missingProperty } = params as { missingProperty?: string }
  const name = missingProperty ?? instancePath.slice(1)
  const schema = schemaOf[name]
  return {
    fault: `${name} is ${missingProperty === undefined ? 'not valid' : 'missing'}`,
    cure: `Set it to ${schema === undefined ? 'a valid value' : expectationOf(schema)}.`
  }
}

const hasErrors = (error: unknown): error is { errors: ErrorObject[] } =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors)

/**
 * Validates the environment against the schema and the rules.
 *
 * @throws ConfigurationError with everything that is wrong.
 */
export const readEnvironment = (env: Environment): Settings => {
  const texts = readSettings(env)
  const broken = brokenRules(texts)
  const options = { schema: schemaOfEnvironment(texts.NODE_ENV), data: texts, env: false, ajv }
  try {
    const settings = envSchema<Settings>(options)
    if (broken.length > 0) throw new ConfigurationError(broken)
    return settings
  } catch (error) {
    if (!hasErrors(error)) throw error
    const problems = [...error.errors.map(toProblem), ...broken]
    throw new ConfigurationError(
      problems.filter(({ fault }, index) => problems.findIndex((other) => other.fault === fault) === index)
    )
  }
}
