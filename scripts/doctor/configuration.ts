import { ConfigurationError, loadConfig, settingNames, type Config } from '../../plugins/config/index.ts'
import { fail, ok, warn, wordsOf, type Finding } from './finding.ts'

type Environment = Record<string, string | undefined>

const leastNode = 20

export const checkNode = (version: string): Finding => {
  return Number(version.split('.', 1)[0]) >= leastNode
    ? ok('Node.js', version)
    : fail('Node.js', version, `Install Node.js ${leastNode} or later.`)
}

/** Edits that lead from one name to the other: letters put in, left out or changed. */
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

/** Settings that look like ours and are none: a slip of the pen goes unnoticed otherwise, since what is unknown is ignored. */
export const checkNames = (environment: Environment): Finding[] => {
  const known = [...settingNames()]
  return Object.keys(environment)
    .filter((name) => /^(ATLAS|PLAID|STRIPE|TWILIO|DATABASE|PUBLIC_API)_/.test(name) && !known.includes(name))
    .map((name) => {
      const [nearest] = known.map((one) => ({ one, edits: distance(name, one) })).sort((a, b) => a.edits - b.edits)
      const meant = nearest !== undefined && nearest.edits <= mostEdits ? `Did you mean ${nearest.one}? ` : ''
      return warn('settings', `${name} is no setting and has no effect`, `${meant}The README lists every setting.`)
    })
}

/** Reads the configuration as the server does. Without one, `findings` say why. */
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
    // Outside production the keys are made and kept in the data directory.
    return {
      findings: [
        fail(
          'data directory',
          wordsOf(error),
          'Let the user that runs the server write there, or name another one by ATLAS_DATA_DIR.'
        )
      ]
    }
  }
}

const leastVariety = 12
const shortestIngestSecret = 16

const isWeak = (secret: Buffer): boolean => new Set(secret).size < leastVariety

/** Keys that have the right length and can be guessed all the same. */
export const checkKeys = ({ encryptionKeys, jwtSecret, ingestSecret }: Config): Finding[] => {
  const [current, ...old] = encryptionKeys
  const findings: Finding[] = []
  if (current !== undefined && isWeak(current))
    findings.push(
      fail(
        'keys',
        'ATLAS_ENCRYPTION_KEY is not random',
        'Make one: openssl rand -base64 32. Keep this one in ATLAS_ENCRYPTION_KEYS_OLD if anything was stored under it.'
      )
    )
  if (isWeak(jwtSecret))
    findings.push(
      fail(
        'keys',
        'ATLAS_JWT_SECRET is not random',
        'Make one: openssl rand -base64 48. Who is signed in has to refresh the access token.'
      )
    )
  if (ingestSecret !== undefined && ingestSecret.length < shortestIngestSecret)
    findings.push(warn('keys', 'ATLAS_INGEST_SECRET is short', 'Make one: openssl rand -hex 24.'))
  if (current !== undefined && old.some((key) => key.equals(current)))
    findings.push(warn('keys', 'ATLAS_ENCRYPTION_KEYS_OLD holds the current key too', 'Leave it out there.'))
  return findings.length > 0
    ? findings
    : [ok('keys', `as long and as random as they should be${old.length > 0 ? `; ${old.length} old` : ''}`)]
}

/** What is right on a desk and seldom in production. */
export const checkProduction = (config: Config): Finding[] => {
  if (config.environment !== 'production') return []
  const findings: Finding[] = []
  if (config.docsEnabled)
    findings.push(
      warn('reference', 'is served to everybody', 'Unless the API is public, leave ATLAS_DOCS_ENABLED out.')
    )
  if (config.webhookAllowPrivate)
    findings.push(
      warn(
        'webhooks',
        'may go to private addresses',
        'Leave ATLAS_WEBHOOK_ALLOW_PRIVATE out: a partner could reach what only this server can.'
      )
    )
  if (config.sandboxAutosettle)
    findings.push(warn('simulators', 'move transfers by themselves', 'Leave ATLAS_SANDBOX_AUTOSETTLE out.'))
  if (['debug', 'trace'].includes(config.logLevel))
    findings.push(
      warn('log', `is written at the level ${config.logLevel}`, 'Set LOG_LEVEL to info: it costs time and space.')
    )
  if (config.overload.requests === 0 || config.overload.memoryPercent === 0)
    findings.push(
      warn(
        'overload',
        'a limit is switched off',
        'Leave ATLAS_OVERLOAD_… out, so that requests are refused before memory or connections run out.'
      )
    )
  return findings
}
