import type { Secrets } from '../../plugins/access/secrets.ts'
import { randomText } from '../../plugins/ids.ts'

/** How long the old secret keeps signing after a rotation: 24 hours. */
export const rotationOverlapMs = 24 * 3_600_000

const contextOf = (webhookId: string): string => `webhooks.secret:${webhookId}`

export const newWebhookSecret = (): string => `whsec_${randomText(40)}`

export const encryptSecret = (secrets: Secrets, webhookId: string, secret: string): Buffer =>
  secrets.encrypt(secret, contextOf(webhookId))

export interface EncryptedSecrets {
  secret: Buffer
  oldSecret: Buffer | null
  oldSecretExpiresAt: Date | null
}

/** Decrypts the secrets that are valid at `now`, newest first. */
export const decryptSecrets = (
  secrets: Secrets,
  webhookId: string,
  { secret, oldSecret, oldSecretExpiresAt }: EncryptedSecrets,
  now: Date
): [string, ...string[]] => {
  const current = secrets.decrypt(secret, contextOf(webhookId))
  return oldSecret !== null && oldSecretExpiresAt !== null && oldSecretExpiresAt > now
    ? [current, secrets.decrypt(oldSecret, contextOf(webhookId))]
    : [current]
}
