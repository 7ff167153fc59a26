import { Redis } from 'ioredis'
import { CountryCode } from 'plaid'
import Stripe from 'stripe'
import type { Config } from '../../plugins/config/index.ts'
import { openSmtp } from '../../plugins/events/messages/smtp.ts'
import { openTwilio } from '../../plugins/events/notifications/twilio.ts'
import { addressOfPlaid } from '../../plugins/plaid/address.ts'
import { createPlaidClient } from '../../plugins/plaid/client.ts'
import { PlaidFailure } from '../../plugins/plaid/failure.ts'
import { wordsOf } from '../../plugins/startup/error.ts'
import { fail, ok, warn, type Finding } from './finding.ts'

const timeoutMs = 5_000

export const checkRedis = async (url: string | undefined, instances: number): Promise<Finding> => {
  if (url === undefined) {
    if (instances === 1) return ok('Redis', 'not configured; one instance does not need it')
    return warn(
      'Redis',
      `not configured: each of ${instances} instances counts rate limits separately`,
      `Set REDIS_URL, or accept limits that are up to ${instances} times as high.`
    )
  }
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null
  })
  let reason: unknown
  redis.on('error', (error) => (reason = error))
  try {
    await redis.connect()
    // The rate limiter uses a script.
    await redis.eval('return 1', 0)
    return ok('Redis', `version ${/redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown'}`)
  } catch (error) {
    return fail(
      'Redis',
      wordsOf(reason ?? error),
      'Check REDIS_URL (rediss:// for TLS), its password, and that the user can run scripts. Until then each instance counts rate limits separately.'
    )
  } finally {
    redis.disconnect()
  }
}

const refusedKeys = new Set(['INVALID_API_KEYS', 'MISSING_FIELDS', 'UNAUTHORIZED_ENVIRONMENT'])

/** Checks the keys by reading an institution from Plaid. */
export const checkPlaid = async ({ plaid, environment }: Config): Promise<Finding> => {
  if (plaid.mode === 'not_configured')
    return warn(
      'Plaid',
      'not configured: live banks cannot be linked',
      'Set PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV=production.'
    )
  if (plaid.mode === 'sandbox') return simulated('Plaid', environment, 'PLAID_CLIENT_ID, PLAID_SECRET and PLAID_ENV')
  const client = createPlaidClient({
    baseUrl: addressOfPlaid(plaid),
    clientId: plaid.clientId,
    secret: plaid.secret
  })
  try {
    await client.call(
      (api) => api.institutionsGetById({ institution_id: 'ins_109508', country_codes: [CountryCode.Us] }),
      { repeatable: true, attempts: 2 }
    )
  } catch (error) {
    if (!(error instanceof PlaidFailure))
      return fail('Plaid', wordsOf(error), 'Allow connections to https://*.plaid.com (or PLAID_BASE_URL).')
    // Any other code, such as for an unknown institution, means that the keys are valid.
    if (refusedKeys.has(error.errorCode))
      return fail(
        'Plaid',
        `rejects the keys (${error.errorCode})`,
        'Check PLAID_CLIENT_ID and PLAID_SECRET. Sandbox and production (PLAID_ENV) have different secrets.'
      )
  }
  return ok('Plaid', plaid.mode === 'live' ? 'production, keys accepted' : 'Plaid’s own sandbox, keys accepted')
}

/** Checks the key by reading the balance. Tests use `options` to replace Stripe. */
export const checkStripe = async (
  { stripe, environment }: Config,
  options: Stripe.StripeConfig = {}
): Promise<Finding> => {
  if (stripe.mode === 'not_configured')
    return warn(
      'Stripe',
      'not configured: credits cannot be bought',
      'Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.'
    )
  if (stripe.mode === 'sandbox') return simulated('Stripe', environment, 'STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET')
  try {
    await new Stripe(stripe.secretKey, {
      timeout: timeoutMs,
      maxNetworkRetries: 1,
      telemetry: false,
      ...options
    }).balance.retrieve()
  } catch (error) {
    if (error instanceof Stripe.errors.StripeAuthenticationError)
      return fail(
        'Stripe',
        'rejects the key',
        'Check STRIPE_SECRET_KEY. It may be revoked or belong to another account.'
      )
    if (!(error instanceof Stripe.errors.StripePermissionError))
      return fail('Stripe', wordsOf(error), 'Allow connections to https://api.stripe.com.')
    // A restricted key that cannot read the balance is valid.
  }
  if (!stripe.webhookSecret.startsWith('whsec_'))
    return warn(
      'Stripe',
      'STRIPE_WEBHOOK_SECRET is not a webhook signing secret',
      'Use the signing secret of the endpoint (whsec_…), not its id or an API key.'
    )
  return ok('Stripe', stripe.mode === 'live' ? 'live, key accepted' : 'test mode, key accepted')
}

export const checkTwilio = async ({ twilio }: Config): Promise<Finding> => {
  if (twilio === undefined) return ok('Twilio', 'not configured: owners of agents get no text messages')
  try {
    const { status } = await (await openTwilio(twilio)).api.v2010.accounts(twilio.accountSid).fetch()
    if (status !== 'active') return fail('Twilio', `the account is ${status}`, 'Check the account in Twilio’s console.')
    return ok('Twilio', 'credentials accepted')
  } catch (error) {
    const refused = error instanceof Error && 'status' in error && [401, 403, 404].includes(Number(error.status))
    return refused
      ? fail('Twilio', 'rejects the credentials', 'Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.')
      : fail('Twilio', wordsOf(error), 'Allow connections to https://api.twilio.com (or TWILIO_BASE_URL).')
  }
}

/** Checks the mail server by connecting and signing in. */
export const checkMail = async ({ smtp, environment }: Config): Promise<Finding> => {
  if (smtp === undefined)
    return environment === 'production'
      ? warn('Mail', 'not configured: users cannot verify e-mail addresses', 'Set SMTP_URL and SMTP_FROM.')
      : ok('Mail', 'not configured: mail is shown in the log and in notifications')
  const transport = await openSmtp(smtp)
  try {
    await transport.verify()
    return ok('Mail', 'the mail server accepts connections')
  } catch (error) {
    return fail('Mail', wordsOf(error), 'Check SMTP_URL: protocol, host, port, user and password.')
  } finally {
    transport.close()
  }
}

const simulated = (subject: string, environment: Config['environment'], settings: string): Finding =>
  environment === 'production'
    ? warn(subject, 'is the built-in simulator: no real money moves', `Set ${settings}, unless this is intended.`)
    : ok(subject, 'the built-in simulator')
