import { AtlasSignatureError } from './errors.ts'
import type { AtlasEvent } from './types.ts'

export interface WebhookToVerify {
  /** The unparsed request body. */
  rawBody: string | Uint8Array
  /** The request headers. */
  headers: Headers | Record<string, string | readonly string[] | undefined>
  /** The endpoint's secret (`whsec_…`). */
  secret?: string
  /** Several valid secrets, during a rotation. */
  secrets?: readonly string[]
  /**
   * The header to verify. Default: `Atlas-Signature`, which includes the time and so prevents replays. `X-Atlas-Signature`
   * covers the body only. There is no automatic choice: an attacker could omit the stronger header.
   */
  scheme?: 'Atlas-Signature' | 'X-Atlas-Signature'
  /** Allowed difference between the signed time and now. Default: 5 minutes. */
  toleranceSeconds?: number
  /** Replaces the current time. */
  now?: Date
}

const defaultToleranceSeconds = 300
const encoder = new TextEncoder()

const headerOf = (headers: WebhookToVerify['headers'], name: string): string => {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
  const text = Array.isArray(value) ? (value as string[]).join(',') : (value as string | null | undefined)
  if (text === undefined || text === null || text === '')
    throw new AtlasSignatureError(`The request has no ${name} header.`)
  return text
}

const fromHex = (hex: string): Uint8Array<ArrayBuffer> | undefined =>
  /^[0-9a-f]{64}$/i.test(hex) ? Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) : undefined

const join = (prefix: string, body: string | Uint8Array): Uint8Array<ArrayBuffer> => {
  const [head, tail] = [encoder.encode(prefix), typeof body === 'string' ? encoder.encode(body) : body]
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}

/** Whether any secret matches any signature. SubtleCrypto compares in constant time. */
const anyMatches = async (
  secrets: readonly string[],
  signatures: readonly string[],
  signed: Uint8Array<ArrayBuffer>
): Promise<boolean> => {
  let matches = false
  for (const secret of secrets) {
    const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify'
    ])
    for (const hex of signatures) {
      const signature = fromHex(hex)
      if (signature !== undefined && (await crypto.subtle.verify('HMAC', key, signature, signed))) matches = true
    }
  }
  return matches
}

/** Parses `t=<Unix seconds>,v1=<hex>[,v1=<hex>]` to the signatures and the signed bytes. */
const readTimed = (
  header: string,
  { rawBody, toleranceSeconds = defaultToleranceSeconds, now = new Date() }: WebhookToVerify
) => {
  const parts = header.split(',').map((part) => part.trim().split('='))
  const time = parts.find(([name]) => name === 't')?.[1] ?? ''
  if (!/^\d{1,12}$/.test(time)) throw new AtlasSignatureError('The Atlas-Signature header has no valid time.')
  if (Math.abs(now.getTime() / 1000 - Number(time)) > toleranceSeconds) {
    throw new AtlasSignatureError(`The signed time differs from now by more than ${toleranceSeconds} seconds.`)
  }
  return {
    signatures: parts.filter(([name]) => name === 'v1').map(([, hex = '']) => hex),
    signed: join(`${time}.`, rawBody)
  }
}

const readPlain = (header: string, { rawBody }: WebhookToVerify) => ({
  signatures: [header.trim().replace(/^sha256=/, '')],
  signed: join('', rawBody)
})

/**
 * Verifies the signature of a delivery and returns its event.
 * @throws AtlasSignatureError when no secret matches, or the signature is too old
 */
export const verifyWebhook = async (delivery: WebhookToVerify): Promise<AtlasEvent> => {
  const { rawBody, headers, secret, secrets = [], scheme = 'Atlas-Signature' } = delivery
  const known = [...(secret === undefined ? [] : [secret]), ...secrets].filter((item) => item !== '')
  if (known.length === 0) throw new TypeError('verifyWebhook requires the secret of the endpoint.')
  const header = headerOf(headers, scheme)
  const { signatures, signed } =
    scheme === 'Atlas-Signature' ? readTimed(header, delivery) : readPlain(header, delivery)
  if (!(await anyMatches(known, signatures, signed)))
    throw new AtlasSignatureError(`The ${scheme} header does not match the body and the secret.`)
  return JSON.parse(typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody)) as AtlasEvent
}
