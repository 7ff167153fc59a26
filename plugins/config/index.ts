import { deriveSimulatorKeys, readDevelopmentKeys, type DevelopmentKeys } from './development-keys.ts'
import { readEnvironment, type Environment } from './environment.ts'
import { parseRateOverrides } from './rate-overrides.ts'
import type { Settings } from './settings.ts'

export { ConfigurationError } from './error.ts'
export type { RateOverrides } from './rate-overrides.ts'
export { settingNames } from './settings.ts'

export interface PlaidConfig {
  /**
   * `sandbox` is the built-in simulator, `remote_sandbox` Plaid's own sandbox, `live` Plaid's production. `not_configured` is production without
   * Plaid's keys and without simulators.
   */
  mode: 'sandbox' | 'remote_sandbox' | 'live' | 'not_configured'
  clientId: string
  secret: string
  /** Replaces Plaid's own URL, such as by an outbound proxy. */
  baseUrl: string | undefined
}

export interface StripeConfig {
  /** As Plaid's. `not_configured` is production without Stripe's keys: purchases are disabled, because a simulator would give credits away. */
  mode: 'sandbox' | 'remote_sandbox' | 'live' | 'not_configured'
  secretKey: string
  webhookSecret: string
}

export interface SmtpConfig {
  host: string
  port: number
  /** Whether TLS begins with the connection; otherwise with STARTTLS. */
  isSecure: boolean
  user: string | undefined
  password: string | undefined
  from: string
}

export interface TwilioConfig {
  accountSid: string
  authToken: string
  from: string
  baseUrl: string | undefined
}

/** The typed configuration. */
export type Config = ReturnType<typeof loadConfig>

const withoutTrailingSlash = (url: string | undefined): string | undefined => url?.replace(/\/$/, '')

const plaidConfig = (settings: Settings, keys: DevelopmentKeys | undefined): PlaidConfig => {
  const { PLAID_CLIENT_ID: clientId, PLAID_SECRET: secret } = settings
  const baseUrl = withoutTrailingSlash(settings.PLAID_BASE_URL)
  if (clientId !== undefined && secret !== undefined)
    return { mode: settings.PLAID_ENV === 'production' ? 'live' : 'remote_sandbox', clientId, secret, baseUrl }
  if (keys === undefined) return { mode: 'not_configured', clientId: '', secret: '', baseUrl }
  return { mode: 'sandbox', clientId: 'atlas-simulator', secret: keys.plaidSecret, baseUrl }
}

const stripeConfig = (settings: Settings, keys: DevelopmentKeys | undefined): StripeConfig => {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret } = settings
  if (secretKey !== undefined && webhookSecret !== undefined)
    return { mode: secretKey.startsWith('sk_live_') ? 'live' : 'remote_sandbox', secretKey, webhookSecret }
  if (keys === undefined) return { mode: 'not_configured', secretKey: '', webhookSecret: '' }
  return { mode: 'sandbox', secretKey: keys.stripeSecret, webhookSecret: keys.stripeWebhookSecret }
}

const twilioConfig = (settings: Settings): TwilioConfig | undefined => {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_FROM: from } = settings
  if (accountSid === undefined || authToken === undefined || from === undefined) return undefined
  return { accountSid, authToken, from, baseUrl: withoutTrailingSlash(settings.TWILIO_BASE_URL) }
}

const smtpConfig = ({ SMTP_URL: url, SMTP_FROM: from }: Settings): SmtpConfig | undefined => {
  if (url === undefined || from === undefined) return undefined
  const { protocol, hostname, port, username, password } = new URL(url)
  const isSecure = protocol === 'smtps:'
  const decode = (text: string) => (text === '' ? undefined : decodeURIComponent(text))
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 465 : 587) : Number(port),
    isSecure,
    user: decode(username),
    password: decode(password),
    from
  }
}

const creditLimit = (credits: number): number | undefined => (credits === 0 ? undefined : credits * 100)

const hasTraceEndpoint = (settings: Settings): boolean =>
  [settings.OTEL_EXPORTER_OTLP_ENDPOINT, settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some((url) => url !== undefined)

const encryptionKeys = (current: string, old: string | undefined): Buffer[] =>
  [current, ...(old?.split(',') ?? [])].map((key) => Buffer.from(key.trim(), 'base64'))

/**
 * Turns the environment into the typed configuration. Outside production, keys that are not set are generated once and kept in
 * the data directory.
 *
 * @throws ConfigurationError with every setting that is missing or wrong.
 */
export const loadConfig = (env: Environment) => {
  const settings = readEnvironment(env)
  const production = settings.NODE_ENV === 'production'
  const keys = production ? undefined : readDevelopmentKeys(settings.ATLAS_DATA_DIR)
  const encryptionKey = settings.ATLAS_ENCRYPTION_KEY ?? keys?.encryptionKey ?? ''
  // In production a simulator gives credits away, so the operator has to ask for it.
  const simulatorKeys = keys ?? (settings.ATLAS_SIMULATORS ? deriveSimulatorKeys(encryptionKey) : undefined)
  return {
    environment: settings.NODE_ENV,
    host: settings.HOST,
    port: settings.PORT,
    dataDir: settings.ATLAS_DATA_DIR,
    publicUrl: withoutTrailingSlash(settings.ATLAS_PUBLIC_URL),
    /** Origins whose scripts may call the API. */
    corsOrigins: settings.ATLAS_CORS_ORIGINS?.split(',').map((origin) => origin.trim()) ?? [],
    databaseUrl: withoutTrailingSlash(settings.DATABASE_URL),
    databasePoolSize: settings.DATABASE_POOL_SIZE,
    redisUrl: withoutTrailingSlash(settings.REDIS_URL),
    /** 32-byte keys; the first one encrypts, all of them decrypt. */
    encryptionKeys: encryptionKeys(encryptionKey, settings.ATLAS_ENCRYPTION_KEYS_OLD),
    jwtSecret: Buffer.from(settings.ATLAS_JWT_SECRET ?? keys?.jwtSecret ?? ''),
    // An empty ATLAS_INGEST_SECRET disables the ingest operations; an absent one is generated outside production.
    ingestSecret: env.ATLAS_INGEST_SECRET === undefined ? keys?.ingestSecret : settings.ATLAS_INGEST_SECRET,
    docsEnabled: settings.ATLAS_DOCS_ENABLED,
    webhookAllowPrivate: settings.ATLAS_WEBHOOK_ALLOW_PRIVATE,
    trustProxy: settings.ATLAS_TRUST_PROXY,
    sandboxAutosettle: settings.ATLAS_SANDBOX_AUTOSETTLE,
    /** Whether simulators stand in for services without keys. */
    simulators: simulatorKeys !== undefined,
    rateOverrides: parseRateOverrides(settings.PUBLIC_API_RATE_OVERRIDES ?? '{}') ?? {},
    plaid: plaidConfig(settings, simulatorKeys),
    stripe: stripeConfig(settings, simulatorKeys),
    smtp: smtpConfig(settings),
    twilio: twilioConfig(settings),
    /** The most that can be owed from loans, in hundredths of a credit; undefined without a limit. */
    lending: {
      mostOutstandingCents: creditLimit(settings.ATLAS_LOANS_MAX_OUTSTANDING),
      mostPerOwnerCents: creditLimit(settings.ATLAS_LOANS_MAX_PER_OWNER)
    },
    logLevel: settings.LOG_LEVEL,
    /** The port of the metrics' own listener; undefined when metrics are disabled. */
    metricsPort: settings.ATLAS_METRICS_ENABLED ? settings.ATLAS_METRICS_PORT : undefined,
    /** Whether requests are traced; the standard settings of OpenTelemetry say where to. */
    tracingEnabled: !settings.OTEL_SDK_DISABLED && hasTraceEndpoint(settings),
    /** How long a stopping server still accepts requests, so that load balancers notice first. */
    drainDelayMs: settings.ATLAS_DRAIN_DELAY_MS,
    /** Thresholds above which requests get 503; 0 disables a limit. */
    overload: {
      /** Delay of the event loop, averaged over a second. */
      loopDelayMs: settings.ATLAS_OVERLOAD_LOOP_DELAY_MS,
      /** Share of V8's heap limit, and of the container's memory. */
      memoryPercent: settings.ATLAS_OVERLOAD_MEMORY_PERCENT,
      /** Concurrent requests. */
      requests: settings.ATLAS_OVERLOAD_REQUESTS
    },
    /** Open connections of one address above which new ones are closed; 0 disables the limit. */
    connectionsPerAddress: settings.ATLAS_CONNECTIONS_PER_ADDRESS
  }
}
