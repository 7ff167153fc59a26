import type { ConfigurationProblem } from './error.ts'
import { schemaOf } from './settings.ts'

type Texts = Record<string, string | undefined>
type Rule = (texts: Texts) => ConfigurationProblem | undefined

/** Groups of settings of which all or none are set. */
const groups = [
  ['PLAID_CLIENT_ID', 'PLAID_SECRET'],
  ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
  ['SMTP_URL', 'SMTP_FROM'],
  ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM']
]

const completeGroup = (names: string[]): Rule => {
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return (texts) => {
    const present = names.filter((name) => texts[name] !== undefined).length
    if (present === 0 || present === names.length) return undefined
    return { fault: `${list} belong together`, cure: `Set ${names.length === 2 ? 'both or neither' : 'all or none'}.` }
  }
}

const hasPlaidKeys = ({ PLAID_CLIENT_ID, PLAID_SECRET }: Texts): boolean =>
  PLAID_CLIENT_ID !== undefined && PLAID_SECRET !== undefined

const plaidUrlNeedsKeys: Rule = (texts) => {
  if (texts.PLAID_BASE_URL === undefined || hasPlaidKeys(texts)) return undefined
  return {
    fault: 'PLAID_BASE_URL has no effect without PLAID_CLIENT_ID and PLAID_SECRET',
    cure: 'Set the keys, or remove it.'
  }
}

/** Whether credentials for real accounts may be sent to a URL. */
const isConfidential = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

const livePlaidIsConfidential: Rule = (texts) => {
  const { PLAID_ENV, PLAID_BASE_URL: url } = texts
  if (PLAID_ENV !== 'production' || url === undefined || !hasPlaidKeys(texts) || isConfidential(url)) return undefined
  return {
    fault: 'PLAID_BASE_URL is not safe for PLAID_ENV=production',
    cure: 'Set it to a URL that begins with https:// or that is on this machine.'
  }
}

const metricsHaveTheirOwnPort: Rule = ({ ATLAS_METRICS_ENABLED, PORT, ATLAS_METRICS_PORT }) => {
  const port = Number(PORT ?? schemaOf.PORT?.default)
  const metricsPort = Number(ATLAS_METRICS_PORT ?? schemaOf.ATLAS_METRICS_PORT?.default)
  if (ATLAS_METRICS_ENABLED !== 'true' || port !== metricsPort || port === 0) return undefined
  return { fault: 'ATLAS_METRICS_PORT is not valid', cure: 'Set it to another port than PORT: metrics are not public.' }
}

const rules: Rule[] = [
  ...groups.map(completeGroup),
  plaidUrlNeedsKeys,
  livePlaidIsConfidential,
  metricsHaveTheirOwnPort
]

/** The rules between settings that the texts break; complements the schema, which knows one setting at a time. */
export const brokenRules = (texts: Texts): ConfigurationProblem[] =>
  rules.map((rule) => rule(texts)).filter((problem) => problem !== undefined)
