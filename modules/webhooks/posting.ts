import { request, type Dispatcher } from 'undici'
import { ForbiddenAddress } from '../../plugins/outbound/index.ts'
import { version } from '../../plugins/version.ts'
import type { Signatures } from './signatures.ts'

/** The whole attempt, from the name's resolution to the end of the answer. */
export const attemptTimeoutMs = 10_000
const mostAnswerBytes = 1024

export interface Post {
  url: string
  deliveryId: string
  eventType: string
  body: string
  signatures: Signatures
}

export interface Outcome {
  /** Null when there was no answer. */
  status: number | null
  /** The first KiB of the answer. */
  responseBody: string | null
  latencyMs: number
  error: string | null
}

const errorNames: [RegExp, string][] = [
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/, 'connection_reset'],
  [/^(ETIMEDOUT|UND_ERR_.*TIMEOUT)$/, 'timeout'],
  [/^(ENOTFOUND|EAI_.*|ENODATA|ESERVFAIL)$/, 'dns_failure'],
  [/^(ERR_TLS_.*|ERR_SSL_.*|CERT_.*|.*_CERT|.*_CERT_.*|.*_SIGNATURE|EPROTO)$/, 'tls_failure']
]

/** A word for what went wrong, without anything that the machine's own network or names could be read from. */
const nameOf = (error: unknown): string => {
  // A name with several addresses fails with one error for each.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  if (first instanceof ForbiddenAddress) return 'forbidden_address'
  if (first instanceof Error && (first.name === 'TimeoutError' || first.name === 'AbortError')) return 'timeout'
  const code = typeof first === 'object' && first !== null && 'code' in first ? String(first.code) : ''
  return errorNames.find(([pattern]) => pattern.test(code))?.[1] ?? 'connection_failed'
}

/** Reads the beginning of an answer. Whoever answered has answered: what breaks off after the head changes nothing. */
const readBeginning = async (body: Dispatcher.ResponseData['body']): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= mostAnswerBytes) break
    }
  } catch {
    // What came until then is kept.
  }
  body.on('error', () => undefined).destroy()
  // A database text holds no zero characters, and a character cut in two becomes a replacement character.
  return Buffer.concat(chunks).subarray(0, mostAnswerBytes).toString('utf8').replaceAll('\0', '\uFFFD')
}

/** Sends one request and tells what became of it; it never throws, follows no redirect, and is over within `timeoutMs`. */
export const post = async (
  dispatcher: Dispatcher,
  { url, deliveryId, eventType, body, signatures }: Post,
  timeoutMs = attemptTimeoutMs
): Promise<Outcome> => {
  const startedAt = performance.now()
  const latencyMs = (): number => Math.round(performance.now() - startedAt)
  try {
    const answer = await request(url, {
      dispatcher,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `AtlasForge-Webhooks/${version}`,
        'x-atlas-event': eventType,
        'x-atlas-delivery': deliveryId,
        ...signatures
      },
      body,
      signal: AbortSignal.timeout(timeoutMs)
    })
    const responseBody = await readBeginning(answer.body)
    const redirected = answer.statusCode >= 300 && answer.statusCode < 400
    return {
      status: answer.statusCode,
      responseBody,
      latencyMs: latencyMs(),
      error: redirected ? 'redirect_not_followed' : null
    }
  } catch (error) {
    return { status: null, responseBody: null, latencyMs: latencyMs(), error: nameOf(error) }
  }
}

/** Whether the endpoint took the event. */
export const arrived = ({ status }: Outcome): boolean => status !== null && status >= 200 && status < 300
