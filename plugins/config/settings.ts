import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'

/** What the schema of a setting says beside its type. */
interface Details<Value> {
  /** For the README, in one or two sentences. */
  description: string
  default?: Value
  productionDefault?: Value
  testDefault?: Value
  /** For the README: what happens without the setting, when that is not a plain value. */
  withoutIt?: string
  requiredInProduction?: true
  /** What a valid value is, when the type does not say it; completes the sentence "Set it to …". */
  expects?: string
  format?: string
  minLength?: number
}

type WithDefault<Value> = Details<Value> & { default: Value }

const text = (details: WithDefault<string>) => Type.String(details)
const optionalText = (details: Details<string>) => Type.Optional(Type.String(details))
const flag = (details: WithDefault<boolean>) => Type.Boolean(details)
const integer = (minimum: number, maximum: number, details: WithDefault<number>) =>
  Type.Integer({ minimum, maximum, ...details })
const choice = <const Value extends string>(values: readonly Value[], details: WithDefault<Value>) =>
  Type.Unsafe<Value>({ type: 'string', enum: values, ...details })

const server = {
  NODE_ENV: choice(['development', 'test', 'production'], {
    description: 'The environment. Production has other defaults and requires the settings marked below.',
    default: 'development'
  }),
  PORT: integer(0, 65_535, { description: 'The TCP port of the API. `0` takes any free port.', default: 3000 }),
  HOST: text({
    description: 'The address to listen on.',
    expects: 'an IP address or a host name',
    default: '127.0.0.1',
    productionDefault: '0.0.0.0'
  }),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    description: 'The least severe level that the structured log contains.',
    default: 'warn',
    productionDefault: 'info',
    testDefault: 'silent'
  }),
  ATLAS_DATA_DIR: text({
    description: 'The folder of the embedded database and of generated keys.',
    expects: 'a path',
    default: '.atlas'
  }),
  ATLAS_PUBLIC_URL: optionalText({
    description: 'The URL under which clients reach the server. Links in errors use it, and `/mcp` accepts its host.',
    format: 'http-url'
  }),
  ATLAS_CORS_ORIGINS: optionalText({
    description: 'Origins whose web pages may call the API from the browser (CORS), separated by commas.',
    format: 'origins',
    withoutIt: 'none'
  }),
  ATLAS_TRUST_PROXY: flag({
    description:
      'Trusts the last address in `X-Forwarded-For`. Enable it only behind a reverse proxy that sets the header.',
    default: false
  }),
  ATLAS_DRAIN_DELAY_MS: integer(0, 60_000, {
    description:
      'Milliseconds for which a stopping server still accepts requests, so that load balancers notice first.',
    default: 0
  }),
  ATLAS_DOCS_ENABLED: flag({
    description: 'Serves the API reference and the specification.',
    default: true,
    productionDefault: false
  })
}

const database = {
  DATABASE_URL: optionalText({
    description: 'PostgreSQL 15 or later.',
    format: 'postgres-url',
    withoutIt: 'embedded database',
    requiredInProduction: true
  }),
  DATABASE_POOL_SIZE: integer(2, 100, { description: 'Connections to PostgreSQL per instance.', default: 10 }),
  REDIS_URL: optionalText({ description: 'Redis, through which all instances share rate limits.', format: 'redis-url' })
}

const secrets = {
  ATLAS_ENCRYPTION_KEY: optionalText({
    description: 'Encrypts stored credentials.',
    format: 'encryption-key',
    withoutIt: 'generated',
    requiredInProduction: true
  }),
  ATLAS_ENCRYPTION_KEYS_OLD: optionalText({
    description: 'Previous encryption keys. The server decrypts with them and never encrypts.',
    format: 'encryption-keys'
  }),
  ATLAS_JWT_SECRET: optionalText({
    description: 'Signs access tokens.',
    minLength: 32,
    expects: '32 or more random characters, such as the output of `openssl rand -base64 48`',
    withoutIt: 'generated',
    requiredInProduction: true
  }),
  ATLAS_INGEST_SECRET: optionalText({
    description: 'Authenticates the ingest operations. An empty value disables them.',
    withoutIt: 'generated (production: none)'
  })
}

const limits = {
  PUBLIC_API_RATE_OVERRIDES: optionalText({
    description: 'Rate limits by partner and rate class.',
    format: 'rate-overrides'
  }),
  ATLAS_OVERLOAD_REQUESTS: integer(0, 1_000_000, {
    description: 'Concurrent requests above which further requests get 503. `0`: no limit.',
    default: 1000
  }),
  ATLAS_CONNECTIONS_PER_ADDRESS: integer(0, 1_000_000, {
    description:
      'Open connections of one address above which new ones are closed. `0`, and behind a trusted proxy: no limit.',
    default: 256,
    testDefault: 0
  }),
  ATLAS_OVERLOAD_MEMORY_PERCENT: integer(0, 100, {
    description: 'Share of V8’s heap limit and of the container’s memory above which requests get 503. `0`: no limit.',
    default: 90
  }),
  // The embedded database runs in this process and blocks the event loop, so the limit is off outside production.
  ATLAS_OVERLOAD_LOOP_DELAY_MS: integer(0, 60_000, {
    description: 'Event loop delay in milliseconds above which requests get 503. `0`: no limit.',
    default: 0,
    productionDefault: 1000
  })
}

const lending = {
  ATLAS_LOANS_MAX_OUTSTANDING: integer(0, 1_000_000_000, {
    description: 'Credits that all agents together can owe from loans. `0`: no limit.',
    default: 0,
    productionDefault: 100_000
  }),
  ATLAS_LOANS_MAX_PER_OWNER: integer(0, 1_000_000_000, {
    description:
      'Credits that the agents of one owner can owe from loans; agents without an owner share one such limit. `0`: no limit.',
    default: 0,
    productionDefault: 10_000
  })
}

const observability = {
  ATLAS_METRICS_ENABLED: flag({ description: 'Serves Prometheus metrics on a port of their own.', default: false }),
  ATLAS_METRICS_PORT: integer(0, 65_535, { description: 'The port of the metrics.', default: 9464 }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalText({
    description: 'Enables OpenTelemetry traces, which also obey the other standard settings of OpenTelemetry.',
    format: 'http-url'
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optionalText({
    description: 'The same for traces only.',
    format: 'http-url'
  }),
  OTEL_SDK_DISABLED: flag({ description: 'Disables tracing.', default: false })
}

const integrations = {
  ATLAS_WEBHOOK_ALLOW_PRIVATE: flag({
    description: 'Allows webhook endpoints at private addresses.',
    default: true,
    productionDefault: false
  }),
  PLAID_CLIENT_ID: optionalText({
    description: 'The client id of Plaid.',
    withoutIt: 'simulator (production: no banks)'
  }),
  PLAID_SECRET: optionalText({ description: 'The secret of Plaid. Set both or neither.' }),
  PLAID_ENV: choice(['sandbox', 'production'], {
    description: 'The environment of Plaid that the keys belong to.',
    default: 'sandbox'
  }),
  PLAID_BASE_URL: optionalText({
    description: 'Sends Plaid requests to this URL, such as an outbound proxy.',
    format: 'base-url',
    withoutIt: 'Plaid’s own URL'
  }),
  STRIPE_SECRET_KEY: optionalText({
    description: 'The secret key of Stripe.',
    withoutIt: 'simulator (production: no purchases)'
  }),
  STRIPE_WEBHOOK_SECRET: optionalText({
    description: 'The signing secret of Stripe’s webhooks. Set both or neither.'
  }),
  SMTP_URL: optionalText({
    description: 'The mail server, for codes that verify e-mail addresses. Set both or neither.',
    format: 'smtp-url',
    withoutIt: 'shown in notifications (production: no mail)'
  }),
  SMTP_FROM: optionalText({
    description: 'The sender of mail.',
    expects: 'an address, such as AtlasForge <no-reply@example.com>'
  }),
  TWILIO_ACCOUNT_SID: optionalText({
    description: 'Twilio account for text messages to owners of agents. Set all three or none.',
    withoutIt: 'no text messages'
  }),
  TWILIO_AUTH_TOKEN: optionalText({ description: 'The authentication token of the Twilio account.' }),
  TWILIO_FROM: optionalText({ description: 'The sender of text messages.', expects: 'a phone number of Twilio' }),
  TWILIO_BASE_URL: optionalText({
    description: 'Sends Twilio requests to this URL.',
    format: 'base-url',
    withoutIt: 'Twilio’s own URL'
  })
}

const simulators = {
  ATLAS_SIMULATORS: flag({
    description: 'Production only: simulates services without keys, and Plaid for test credentials. Credits are free.',
    default: false
  }),
  ATLAS_SANDBOX_AUTOSETTLE: flag({ description: 'Simulated transfers advance by themselves.', default: false })
}

/** Every setting, by the section of the README that lists it. */
export const sections = {
  Server: server,
  Database: database,
  Secrets: secrets,
  Limits: limits,
  Lending: lending,
  Observability: observability,
  Integrations: integrations,
  Simulators: simulators
}

const properties = {
  ...server,
  ...database,
  ...secrets,
  ...limits,
  ...lending,
  ...observability,
  ...integrations,
  ...simulators
}

/** The JSON Schema of a setting, with its details as annotations. */
export type SettingSchema = TSchema & Details<unknown>

export const schemaOf = properties as Record<string, SettingSchema>

/** The value of every setting, defaults included. */
export type Settings = Static<TObject<typeof properties>>

export const settingNames = (): Set<string> => new Set(Object.keys(schemaOf))
