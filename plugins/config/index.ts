import { deriveSimulatorKeys, readDevelopmentKeys, type DevelopmentKeys } from './development-keys.ts'
import { Reader, type Environment, type RateOverrides } from './reader.ts'

export { RateOverrides } from './reader.ts'

export interface PlaidConfig {
  /**
   * `sandbox` is the built-in simulator, `remote_sandbox` Plaid's own sandbox, `live` Plaid's production. `not_configured` is production without Plaid's
   * keys: simulated banks for test credentials, and none for live ones.
   */
  mode: 'sandbox' | 'remote_sandbox' | 'live' | 'not_configured'
  clientId: string
  secret: string
  /** Where Plaid is asked instead of at its own address, such as a proxy through which requests leave the network. */
  baseUrl: string | undefined
}

export interface StripeConfig {
  /** As Plaid's; `not_configured` is production without Stripe's keys, where nothing can be bought: a simulator would give credits away. */
  mode: 'sandbox' | 'remote_sandbox' | 'live' | 'not_configured'
  secretKey: string
  webhookSecret: string
}

export interface TwilioConfig {
  accountSid: string
  authToken: string
  from: string
  baseUrl: string | undefined
}

/** From where on requests are refused; 0 turns a limit off. */
export interface OverloadConfig {
  /** Of the event loop, averaged over a second. */
  loopDelayMs: number
  /** Of the heap that V8 may use, and of the memory that the container may use. */
  memoryPercent: number
  /** How many requests may be under way at a time, most of them waiting for the database. */
  requests: number
}

export interface Config {
  environment: 'development' | 'test' | 'production'
  host: string
  port: number
  dataDir: string
  publicUrl: string | undefined
  databaseUrl: string | undefined
  databasePoolSize: number
  redisUrl: string | undefined
  /** 32-byte keys; the first one encrypts, all of them decrypt. */
  encryptionKeys: Buffer[]
  jwtSecret: Buffer
  ingestSecret: string | undefined
  docsEnabled: boolean
  webhookAllowPrivate: boolean
  trustProxy: boolean
  sandboxAutosettle: boolean
  rateOverrides: Record<string, RateOverrides>
  plaid: PlaidConfig
  stripe: StripeConfig
  twilio: TwilioConfig | undefined
  logLevel: string
  /** Where the metrics are served, on a listener of their own; undefined when they are off. */
  metricsPort: number | undefined
  /** Whether requests are traced, to where the standard settings of OpenTelemetry say. */
  tracingEnabled: boolean
  /** How long a server that is told to stop still takes requests, so that load balancers see first that it is not ready any more. */
  drainDelayMs: number
  overload: OverloadConfig
}

/** The environment cannot be turned into a configuration; the message names every setting at fault and its cure. */
export class ConfigurationError extends Error {
  constructor(readonly problems: string[]) {
    super(
      `The configuration needs ${problems.length === 1 ? 'a correction' : `${problems.length} corrections`}:\n${problems.map((p) => `  - ${p}`).join('\n')}`
    )
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

const requiredInProduction: Record<string, string> = {
  DATABASE_URL: 'set it to the PostgreSQL database, such as postgres://user:password@host:5432/atlasforge',
  ATLAS_ENCRYPTION_KEY: 'set it to 32 random bytes in base64, such as the output of: openssl rand -base64 32',
  ATLAS_JWT_SECRET: 'set it to a random text of 32 characters or more, such as the output of: openssl rand -base64 48'
}

/** Whether credentials for real accounts may be sent there. */
const isSafe = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

const readPlaid = (reader: Reader, keys: DevelopmentKeys | undefined): PlaidConfig => {
  const clientId = reader.text('PLAID_CLIENT_ID')
  const secret = reader.text('PLAID_SECRET')
  const environment = reader.choice('PLAID_ENV', 'sandbox', ['sandbox', 'production'])
  const baseUrl = reader.baseUrl('PLAID_BASE_URL')
  if ((clientId === undefined) !== (secret === undefined))
    reader.problems.push('PLAID_CLIENT_ID and PLAID_SECRET belong together: set both or neither')
  const named = clientId !== undefined && secret !== undefined
  if (baseUrl !== undefined && !named)
    reader.problems.push('PLAID_BASE_URL is of use with PLAID_CLIENT_ID and PLAID_SECRET only')
  if (environment === 'production' && named && baseUrl !== undefined && !isSafe(baseUrl)) {
    reader.problems.push(
      'PLAID_BASE_URL must begin with https:// for PLAID_ENV=production, unless it is on this machine'
    )
  }
  if (!named) {
    return keys === undefined
      ? { mode: 'not_configured', clientId: '', secret: '', baseUrl }
      : { mode: 'sandbox', clientId: 'atlas-simulator', secret: keys.plaidSecret, baseUrl }
  }
  return { mode: environment === 'production' ? 'live' : 'remote_sandbox', clientId, secret, baseUrl }
}

const readStripe = (reader: Reader, keys: DevelopmentKeys | undefined): StripeConfig => {
  const secretKey = reader.text('STRIPE_SECRET_KEY')
  const webhookSecret = reader.text('STRIPE_WEBHOOK_SECRET')
  if ((secretKey === undefined) !== (webhookSecret === undefined)) {
    reader.problems.push('STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together: set both or neither')
  }
  if (secretKey === undefined || webhookSecret === undefined) {
    if (keys === undefined) return { mode: 'not_configured', secretKey: '', webhookSecret: '' }
    return { mode: 'sandbox', secretKey: keys.stripeSecret, webhookSecret: keys.stripeWebhookSecret }
  }
  return { mode: secretKey.startsWith('sk_live_') ? 'live' : 'remote_sandbox', secretKey, webhookSecret }
}

const readTwilio = (reader: Reader): TwilioConfig | undefined => {
  const names = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'] as const
  const [accountSid, authToken, from] = names.map((name) => reader.text(name))
  const baseUrl = reader.baseUrl('TWILIO_BASE_URL')
  if (accountSid !== undefined && authToken !== undefined && from !== undefined)
    return { accountSid, authToken, from, baseUrl }
  if (accountSid !== undefined || authToken !== undefined || from !== undefined) {
    reader.problems.push(`${names.join(', ')} belong together: set all or none`)
  }
  return undefined
}

const readMetricsPort = (reader: Reader, publicPort: number): number | undefined => {
  const port = reader.integer('ATLAS_METRICS_PORT', 9464, 0, 65535)
  if (!reader.flag('ATLAS_METRICS_ENABLED', false)) return undefined
  if (port === publicPort && port !== 0)
    reader.problems.push('ATLAS_METRICS_PORT must differ from PORT, since metrics are not for the public')
  return port
}

const readTracingEnabled = (reader: Reader): boolean => {
  const endpoints = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].map((name) =>
    reader.url(name, ['http:', 'https:'])
  )
  return !reader.flag('OTEL_SDK_DISABLED', false) && endpoints.some((endpoint) => endpoint !== undefined)
}

const readOverload = (reader: Reader, production: boolean): OverloadConfig => ({
  // The embedded database computes in this very process and holds the event loop up; a desk does not want to hear of it.
  loopDelayMs: reader.integer('ATLAS_OVERLOAD_LOOP_DELAY_MS', production ? 1_000 : 0, 0, 60_000),
  memoryPercent: reader.integer('ATLAS_OVERLOAD_MEMORY_PERCENT', 90, 0, 100),
  requests: reader.integer('ATLAS_OVERLOAD_REQUESTS', 1_000, 0, 1_000_000)
})

const readEnvironmentName = (reader: Reader): Config['environment'] => {
  const name = reader.text('NODE_ENV') ?? 'development'
  if (name === 'development' || name === 'test' || name === 'production') return name
  reader.problems.push('NODE_ENV must be development, test or production')
  return 'development'
}

/**
 * Turns the environment into the typed configuration. Outside production, keys that are not set are generated once and kept in
 * the data directory.
 *
 * @throws ConfigurationError naming every setting that is missing or wrong, all at once.
 */
export const loadConfig = (env: Environment): Config => {
  const reader = new Reader(env)
  const environment = readEnvironmentName(reader)
  const production = environment === 'production'
  if (production) {
    for (const [name, cure] of Object.entries(requiredInProduction)) {
      if (reader.text(name) === undefined) reader.problems.push(`${name} is missing: ${cure}`)
    }
  }
  const dataDir = reader.text('ATLAS_DATA_DIR') ?? '.atlas'
  const keys = production ? undefined : readDevelopmentKeys(dataDir)
  const encryptionKey = reader.text('ATLAS_ENCRYPTION_KEY') ?? keys?.encryptionKey
  // In production a simulator would sell credits for nothing, so somebody must have asked for it.
  const simulatorKeys =
    keys ?? (reader.flag('ATLAS_SIMULATORS', false) ? deriveSimulatorKeys(encryptionKey ?? '') : undefined)
  const oldKeys = reader.text('ATLAS_ENCRYPTION_KEYS_OLD')?.split(',') ?? []
  const jwtSecret = reader.text('ATLAS_JWT_SECRET') ?? keys?.jwtSecret
  if (jwtSecret !== undefined && jwtSecret.length < 32)
    reader.problems.push('ATLAS_JWT_SECRET must have 32 characters or more')
  const port = reader.integer('PORT', 3000, 0, 65535)
  const config: Config = {
    environment,
    host: reader.text('HOST') ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port,
    dataDir,
    publicUrl: reader.url('ATLAS_PUBLIC_URL', ['http:', 'https:']),
    databaseUrl: reader.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    databasePoolSize: reader.integer('DATABASE_POOL_SIZE', 10, 2, 100),
    redisUrl: reader.url('REDIS_URL', ['redis:', 'rediss:']),
    encryptionKeys: [
      ...(encryptionKey === undefined ? [] : [reader.key('ATLAS_ENCRYPTION_KEY', encryptionKey)]),
      ...oldKeys.map((key) => reader.key('ATLAS_ENCRYPTION_KEYS_OLD', key.trim()))
    ],
    jwtSecret: Buffer.from(jwtSecret ?? ''),
    // An empty ATLAS_INGEST_SECRET says "none"; an absent one is generated outside production.
    ingestSecret: env.ATLAS_INGEST_SECRET === undefined ? keys?.ingestSecret : reader.text('ATLAS_INGEST_SECRET'),
    docsEnabled: reader.flag('ATLAS_DOCS_ENABLED', !production),
    webhookAllowPrivate: reader.flag('ATLAS_WEBHOOK_ALLOW_PRIVATE', !production),
    trustProxy: reader.flag('ATLAS_TRUST_PROXY', false),
    sandboxAutosettle: reader.flag('ATLAS_SANDBOX_AUTOSETTLE', false),
    rateOverrides: reader.rateOverrides('PUBLIC_API_RATE_OVERRIDES'),
    plaid: readPlaid(reader, simulatorKeys),
    stripe: readStripe(reader, simulatorKeys),
    twilio: readTwilio(reader),
    logLevel: reader.choice('LOG_LEVEL', environment === 'test' ? 'silent' : production ? 'info' : 'warn', logLevels),
    metricsPort: readMetricsPort(reader, port),
    tracingEnabled: readTracingEnabled(reader),
    drainDelayMs: reader.integer('ATLAS_DRAIN_DELAY_MS', 0, 0, 60_000),
    overload: readOverload(reader, production)
  }
  if (reader.problems.length > 0) throw new ConfigurationError(reader.problems)
  return config
}

/** The name of every setting that there is: what the configuration asks the environment for. */
export const settingNames = (): Set<string> => {
  const names = new Set<string>()
  const asked = new Proxy<Environment>(
    { NODE_ENV: 'production' },
    {
      get(environment, name) {
        names.add(String(name))
        return environment[String(name)]
      }
    }
  )
  try {
    loadConfig(asked)
  } catch (error) {
    // An environment that answers nothing lacks what production needs.
    if (!(error instanceof ConfigurationError)) throw error
  }
  return names
}
