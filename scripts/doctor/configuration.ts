import { closestMatch } from 'leven'
import { ConfigurationError, loadConfig, settingNames, type Config } from '../../plugins/config/index.ts'
import { fail, ok, unwritable, warn, type Finding } from './finding.ts'

type Environment = Record<string, string | undefined>

/** As in package.json and scripts/start.js. */
const leastNode = [20, 19] as const

export const checkNode = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor, leastMinor] = leastNode
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
    ? ok('Node.js', version)
    : fail('Node.js', version, `Install Node.js ${leastNode.join('.')} or later.`)
}

const mostEdits = 3

/** Finds misspelled settings, which the server would ignore. */
export const checkNames = (environment: Environment): Finding[] => {
  const known = [...settingNames()]
  return Object.keys(environment)
    .filter((name) => /^(ATLAS|PLAID|STRIPE|TWILIO|DATABASE|PUBLIC_API)_/.test(name) && !known.includes(name))
    .map((name) => {
      const nearest = closestMatch(name, known, { maxDistance: mostEdits })
      const meant = nearest === undefined ? '' : `Did you mean ${nearest}? `
      return warn('settings', `${name} is not a setting and has no effect`, `${meant}The README lists every setting.`)
    })
}

/** Reads the configuration as the server does. When it is invalid, `findings` contains the errors. */
export const checkConfiguration = (environment: Environment): { config?: Config; findings: Finding[] } => {
  try {
    const config = loadConfig(environment)
    return { config, findings: [ok('settings', `valid, for ${config.environment}`), ...checkNames(environment)] }
  } catch (error) {
    // Outside production the keys are created and stored in the data directory.
    if (!(error instanceof ConfigurationError)) return { findings: [unwritable(error)] }
    const faults = error.problems.map(({ fault, cure }) => fail('settings', fault, cure))
    return { findings: [...faults, ...checkNames(environment)] }
  }
}

const leastVariety = 12
const shortestIngestSecret = 16

const isWeak = (secret: Buffer): boolean => new Set(secret).size < leastVariety

/** Finds keys that have the right length but are guessable. */
export const checkKeys = ({ encryptionKeys, jwtSecret, ingestSecret }: Config): Finding[] => {
  const [current, ...old] = encryptionKeys
  const findings = [
    current !== undefined &&
      isWeak(current) &&
      fail(
        'keys',
        'ATLAS_ENCRYPTION_KEY is not random',
        'Create a key: openssl rand -base64 32. If the current key encrypted any data, move it to ATLAS_ENCRYPTION_KEYS_OLD.'
      ),
    isWeak(jwtSecret) &&
      fail(
        'keys',
        'ATLAS_JWT_SECRET is not random',
        'Create a secret: openssl rand -base64 48. Signed-in users must then refresh their access tokens.'
      ),
    ingestSecret !== undefined &&
      ingestSecret.length < shortestIngestSecret &&
      warn('keys', 'ATLAS_INGEST_SECRET is short', 'Create a secret: openssl rand -hex 24.'),
    current !== undefined &&
      old.some((key) => key.equals(current)) &&
      warn('keys', 'ATLAS_ENCRYPTION_KEYS_OLD contains the current key', 'Remove it there.')
  ].filter((finding) => finding !== false)
  return findings.length > 0
    ? findings
    : [ok('keys', `long and random enough${old.length > 0 ? `; ${old.length} old` : ''}`)]
}

/** Finds development settings in production. */
export const checkProduction = (config: Config): Finding[] => {
  if (config.environment !== 'production') return []
  return [
    config.docsEnabled && warn('reference', 'is public', 'Unset ATLAS_DOCS_ENABLED, unless the API is public.'),
    config.webhookAllowPrivate &&
      warn(
        'webhooks',
        'can be sent to private addresses',
        'Unset ATLAS_WEBHOOK_ALLOW_PRIVATE. Otherwise partners can reach the internal network of this server.'
      ),
    config.sandboxAutosettle && warn('simulators', 'settle transfers automatically', 'Unset ATLAS_SANDBOX_AUTOSETTLE.'),
    ['debug', 'trace'].includes(config.logLevel) &&
      warn('log', `has level ${config.logLevel}`, 'Set LOG_LEVEL to info to save CPU time and disk space.'),
    (config.overload.requests === 0 || config.overload.memoryPercent === 0) &&
      warn(
        'overload',
        'a limit is disabled',
        'Unset ATLAS_OVERLOAD_…, so that the server rejects requests before memory or connections run out.'
      )
  ].filter((finding) => finding !== false)
}
