import { request, type Dispatcher } from 'undici'
import { ForbiddenAddress, UnresolvedName } from '../../plugins/outbound/index.ts'
import { version } from '../../plugins/version.ts'
import type { Signatures } from './signatures.ts'

/** Limits a whole attempt, from name resolution to the end of the response. */
export const attemptTimeoutMs = 10_000
const maxResponseBytes = 1024
/** A success within this time is prompt. */
const promptMs = 1_000

export interface DeliveryRequest {
  url: string
  deliveryId: string
  eventType: string
  body: string
  signatures: Signatures
}

export interface AttemptOutcome {
  /** Null when there was no response. */
  status: number | null
  /** The first KiB of the response. */
  responseBody: string | null
  latencyMs: number
  error: string | null
  /** The Retry-After header of the response. */
  retryAfter?: string | undefined
}

const errorNames: [RegExp, string][] = [
  [/^ECONNREFUSED$/, 'connection_refused'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/, 'connection_reset'],
  [/^(ETIMEDOUT|UND_ERR_.*TIMEOUT)$/, 'timeout'],
  [/^(ERR_TLS_.*|ERR_SSL_.*|CERT_.*|.*_CERT|.*_CERT_.*|.*_SIGNATURE|EPROTO)$/, 'tls_failure']
]

/** A name for the failure that reveals nothing about this machine's network. */
const failureNameOf = (error: unknown): string => {
  // A name with several addresses fails with one error per address.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  if (first instanceof ForbiddenAddress) return 'forbidden_address'
  if (first instanceof UnresolvedName) return 'dns_failure'
  if (first instanceof Error && (first.name === 'TimeoutError' || first.name === 'AbortError')) return 'timeout'
  const code = typeof first === 'object' && first !== null && 'code' in first ? String(first.code) : ''
  return errorNames.find(([pattern]) => pattern.test(code))?.[1] ?? 'connection_failed'
}

/** Reads the start of a response body. A connection that breaks after the headers does not change the outcome. */
const readStart = async (body: Dispatcher.ResponseData['body']): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= maxResponseBytes) break
    }
  } catch {
    // Keeps what was received until then.
  }
  body.on('error', () => undefined).destroy()
  // PostgreSQL text cannot hold NUL characters. A truncated character decodes to U+FFFD.
  return Buffer.concat(chunks).subarray(0, maxResponseBytes).toString('utf8').replaceAll('\0', '\uFFFD')
}

/** Sends one request. Never throws, follows no redirects, and ends within `timeoutMs`. */
export const sendAttempt = async (
  dispatcher: Dispatcher,
  { url, deliveryId, eventType, body, signatures }: DeliveryRequest,
  timeoutMs = attemptTimeoutMs
): Promise<AttemptOutcome> => {
  const startedAt = performance.now()
  const latencyMs = (): number => Math.round(performance.now() - startedAt)
  try {
    const response = await request(url, {
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
    const responseBody = await readStart(response.body)
    const isRedirect = response.statusCode >= 300 && response.statusCode < 400
    const retryAfter = response.headers['retry-after']
    return {
      status: response.statusCode,
      responseBody,
      latencyMs: latencyMs(),
      error: isRedirect ? 'redirect_not_followed' : null,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter
    }
  } catch (error) {
    return { status: null, responseBody: null, latencyMs: latencyMs(), error: failureNameOf(error) }
  }
}

/** Whether the endpoint accepted the event. */
export const isDelivered = ({ status }: AttemptOutcome): boolean => status !== null && status >= 200 && status < 300

/** Whether the endpoint accepted the event within a second. */
export const isPrompt = (outcome: AttemptOutcome): boolean => isDelivered(outcome) && outcome.latencyMs <= promptMs
