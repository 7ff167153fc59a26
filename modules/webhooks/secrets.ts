import type { Secrets } from '../../plugins/access/secrets.ts'
import { randomText } from '../../plugins/ids.ts'

/** How long an old secret keeps signing after a rotation: 24 hours. */
export const rotationOverlapMs = 24 * 3_600_000

/** The rotations within 24 hours, all of whose old secrets sign; the table holds the same limit. */
export const maxRotations = 5

const contextOf = (webhookId: string): string => `webhooks.secret:${webhookId}`

export const newWebhookSecret = (): string => `whsec_${randomText(40)}`

export const encryptSecret = (secrets: Secrets, webhookId: string, secret: string): Buffer =>
  secrets.encrypt(secret, contextOf(webhookId))

export interface EncryptedSecrets {
  secret: Buffer
  /** Those that still sign, newest first. */
  oldSecrets: Buffer[]
}

/** Decrypts the secrets that sign, newest first. */
export const decryptSecrets = (
  secrets: Secrets,
  webhookId: string,
  { secret, oldSecrets }: EncryptedSecrets
): [string, ...string[]] => {
  const decrypt = (encrypted: Buffer): string => secrets.decrypt(encrypted, contextOf(webhookId))
  return [decrypt(secret), ...oldSecrets.map(decrypt)]
}
