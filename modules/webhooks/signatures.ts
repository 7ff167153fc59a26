import { createHmac } from 'node:crypto'

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex')

export interface Signatures {
  /** `t=<Unix seconds>,v1=<hex>`, with one `v1` for each secret; the time is signed, so that an old request cannot be sent again. */
  'atlas-signature': string
  /** `sha256=<hex>` under the newest secret, over the body alone. */
  'x-atlas-signature': string
}

/**
 * Signs the bytes of a delivery's body in both ways that the API reference shows.
 * @param secrets the newest first; each is used as it was shown, its prefix included.
 */
export const signBody = (body: string, secrets: readonly [string, ...string[]], at: Date): Signatures => {
  const seconds = Math.floor(at.getTime() / 1000)
  return {
    'atlas-signature': [`t=${seconds}`, ...secrets.map((secret) => `v1=${hmac(secret, `${seconds}.${body}`)}`)].join(
      ','
    ),
    'x-atlas-signature': `sha256=${hmac(secrets[0], body)}`
  }
}
