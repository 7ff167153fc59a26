import { randomText } from '../../plugins/ids.ts'
import type { Secrets } from '../../plugins/access/secrets.ts'

const contextOf = (webhookId: string): string => `webhooks.secret:${webhookId}`

export const newWebhookSecret = (): string => `whsec_${randomText(40)}`

export const sealSecret = (secrets: Secrets, webhookId: string, secret: string): Buffer =>
  secrets.encrypt(secret, contextOf(webhookId))

interface SealedSecrets {
  secret: Buffer
  old_secret: Buffer | null
  old_secret_expires_at: Date | null
}

/** The secrets that sign at `now`, the newest first. */
export const openSecrets = (
  secrets: Secrets,
  webhookId: string,
  sealed: SealedSecrets,
  now: Date
): [string, ...string[]] => {
  const { secret, old_secret: old, old_secret_expires_at: oldExpiresAt } = sealed
  const current = secrets.decrypt(secret, contextOf(webhookId))
  return old !== null && oldExpiresAt !== null && oldExpiresAt > now
    ? [current, secrets.decrypt(old, contextOf(webhookId))]
    : [current]
}
