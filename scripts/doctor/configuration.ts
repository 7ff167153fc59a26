import { ConfigurationError, loadConfig, settingNames, type Config } from '../../plugins/config/index.ts'
import { fail, ok, warn, wordsOf, type Finding } from './finding.ts'

type Environment = Record<string, string | undefined>

const leastNode = 20

export const checkNode = (version: string): Finding => {
  return Number(version.split('.', 1)[0]) >= leastNode
    ? ok('Node.js', version)
    : fail('Node.js', version, `Install Node.js ${leastNode} or later.`)
}

/** The edit distance between two names: inserted, deleted or replaced letters. */
const distance = (from: string, to: string): number => {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1]
    for (const [column, other] of [...to].entries()) {
      current.push(
        Math.min(
          (above[column + 1] ?? 0) + 1,
          (current[column] ?? 0) + 1,
          (above[column] ?? 0) + (letter === other ? 0 : 1)
        )
      )
    }
    above = current
  }
  return above.at(-1) ?? 0
}

const mostEdits = 3

/** Finds misspelled settings, which the server would ignore. */
export const checkNames = (environment: Environment): Finding[] => {
  const known = [...settingNames()]
  return Object.keys(environment)
    .filter((name) => /^(ATLAS|PLAID|STRIPE|TWILIO|DATABASE|PUBLIC_API)_/.test(name) && !known.includes(name))
    .map((name) => {
      const [nearest] = known.map((one) => ({ one, edits: distance(name, one) })).sort((a, b) => a.edits - b.edits)
      const meant = nearest !== undefined && nearest.edits <= mostEdits ? `Did you mean ${nearest.one}? ` : ''
      return warn('settings', `${name} is not a setting and has no effect`, `${meant}The README lists every setting.`)
    })
}

/** Reads the configuration as the server does. When it is invalid, `findings` contains the errors. */
export const checkConfiguration = (environment: Environment): { config?: Config; findings: Finding[] } => {
  try {
    const config = loadConfig(environment)
    return { config, findings: [ok('settings', `valid, for ${config.environment}`), ...checkNames(environment)] }
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return {
        findings: [
          ...error.problems.map(({ fault, cure }) => fail('settings', fault, cure)),
          ...checkNames(environment)
        ]
      }
    }
    // Outside production the keys are created and stored in the data directory.
    return {
      findings: [
        fail(
          'data directory',
          wordsOf(error),
          'Give the user that runs the server write access, or set ATLAS_DATA_DIR to another directory.'
        )
      ]
    }
  }
}

const leastVariety = 12
const shortestIngestSecret = 16

const isWeak = (secret: Buffer): boolean => new Set(secret).size < leastVariety

/** Finds keys that have the right length but are guessable. */
export const checkKeys = ({ encryptionKeys, jwtSecret, ingestSecret }: Config): Finding[] => {
  const [current, ...old] = encryptionKeys
  const findings: Finding[] = []
  if (current !== undefined && isWeak(current))
    findings.push(
      fail(
        'keys',
        'ATLAS_ENCRYPTION_KEY is not random',
        'Create a key: openssl rand -base64 32. If the current key encrypted any data, move it to ATLAS_ENCRYPTION_KEYS_OLD.'
      )
    )
  if (isWeak(jwtSecret))
    findings.push(
      fail(
        'keys',
        'ATLAS_JWT_SECRET is not random',
        'Create a secret: openssl rand -base64 48. Signed-in users must then refresh their access tokens.'
      )
    )
  if (ingestSecret !== undefined && ingestSecret.length < shortestIngestSecret)
    findings.push(warn('keys', 'ATLAS_INGEST_SECRET is short', 'Create a secret: openssl rand -hex 24.'))
  if (current !== undefined && old.some((key) => key.equals(current)))
    findings.push(warn('keys', 'ATLAS_ENCRYPTION_KEYS_OLD contains the current key', 'Remove it there.'))
  return findings.length > 0
    ? findings
    : [ok('keys', `long and random enough${old.length > 0 ? `; ${old.length} old` : ''}`)]
}

/** Finds development settings in production. */
export const checkProduction = (config: Config): Finding[] => {
  if (config.environment !== 'production') return []
  const findings: Finding[] = []
  if (config.docsEnabled)
    findings.push(warn('reference', 'is public', 'Unset ATLAS_DOCS_ENABLED, unless the API is public.'))
  if (config.webhookAllowPrivate)
    findings.push(
      warn(
        'webhooks',
        'can be sent to private addresses',
        'Unset ATLAS_WEBHOOK_ALLOW_PRIVATE. Otherwise partners can reach the internal network of this server.'
      )
    )
  if (config.sandboxAutosettle)
    findings.push(warn('simulators', 'settle transfers automatically', 'Unset ATLAS_SANDBOX_AUTOSETTLE.'))
  if (['debug', 'trace'].includes(config.logLevel))
    findings.push(warn('log', `has level ${config.logLevel}`, 'Set LOG_LEVEL to info to save CPU time and disk space.'))
  if (config.overload.requests === 0 || config.overload.memoryPercent === 0)
    findings.push(
      warn(
        'overload',
        'a limit is disabled',
        'Unset ATLAS_OVERLOAD_…, so that the server rejects requests before memory or connections run out.'
      )
    )
  return findings
}
