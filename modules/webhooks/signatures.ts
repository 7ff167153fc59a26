import { createHmac } from 'node:crypto'

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex')

export interface Signatures {
  /** `t=<Unix seconds>,v1=<hex>` with one `v1` per secret. Signs the time too, to prevent replay attacks. */
  'atlas-signature': string
  /** `sha256=<hex>` with the newest secret, over the body alone. */
  'x-atlas-signature': string
}

/**
 * Signs the body of a delivery in both formats of the API reference.
 * @param secrets newest first, each including its prefix.
 */
export const signBody = (body: string, secrets: readonly [string, ...string[]], at: Date): Signatures => {
  const seconds = Math.floor(at.getTime() / 1000)
  const versions = secrets.map((secret) => `v1=${hmac(secret, `${seconds}.${body}`)}`)
  return {
    'atlas-signature': [`t=${seconds}`, ...versions].join(','),
    'x-atlas-signature': `sha256=${hmac(secrets[0], body)}`
  }
}
