import { AtlasSignatureError } from './errors.ts'
import type { AtlasEvent } from './types.ts'

export interface WebhookToVerify {
  /** The body as it arrived, before anything parsed it. */
  rawBody: string | Uint8Array
  /** The request's headers, in any of the forms that servers give them. */
  headers: Headers | Record<string, string | readonly string[] | undefined>
  /** The endpoint's secret, as it was shown. */
  secret?: string
  /** All that are valid, while a secret is being changed. */
  secrets?: readonly string[]
  /**
   * Which signature to check: `Atlas-Signature` signs the time as well, so that a delivery that somebody recorded cannot be sent
   * again later; `X-Atlas-Signature` signs the body alone. One is chosen and not whichever is there, or leaving out the stronger would do.
   */
  scheme?: 'Atlas-Signature' | 'X-Atlas-Signature'
  /** How far the signed time may be from now; 5 minutes unless said otherwise. */
  toleranceSeconds?: number
  /** In place of the present. */
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
  if (text === undefined || text === null || text === '') throw new AtlasSignatureError(`The request has no ${name}.`)
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

/** Whether one of the secrets made one of the signatures. SubtleCrypto compares in constant time. */
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

/** The signed bytes and the signatures of `t=<Unix seconds>,v1=<hex>[,v1=<hex>]`. */
const readTimed = (
  header: string,
  { rawBody, toleranceSeconds = defaultToleranceSeconds, now = new Date() }: WebhookToVerify
) => {
  const parts = header.split(',').map((part) => part.trim().split('='))
  const time = parts.find(([name]) => name === 't')?.[1] ?? ''
  if (!/^\d{1,12}$/.test(time)) throw new AtlasSignatureError('Atlas-Signature has no time.')
  if (Math.abs(now.getTime() / 1000 - Number(time)) > toleranceSeconds) {
    throw new AtlasSignatureError(`The delivery was signed more than ${toleranceSeconds} seconds from now.`)
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
 * Checks that a delivery comes from the server, and answers its event.
 * @throws AtlasSignatureError when it was signed with none of the secrets, or too long ago
 */
export const verifyWebhook = async (delivery: WebhookToVerify): Promise<AtlasEvent> => {
  const { rawBody, headers, secret, secrets = [], scheme = 'Atlas-Signature' } = delivery
  const known = [...(secret === undefined ? [] : [secret]), ...secrets].filter((item) => item !== '')
  if (known.length === 0) throw new TypeError('verifyWebhook needs the secret of the endpoint.')
  const header = headerOf(headers, scheme)
  const { signatures, signed } =
    scheme === 'Atlas-Signature' ? readTimed(header, delivery) : readPlain(header, delivery)
  if (!(await anyMatches(known, signatures, signed)))
    throw new AtlasSignatureError(`${scheme} was not made with this secret over this body.`)
  return JSON.parse(typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody)) as AtlasEvent
}
