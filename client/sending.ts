import { AtlasConnectionError, AtlasError, AtlasProblem } from './errors.ts'
import type { ProblemBody } from './errors.ts'
import type { PreparedRequest } from './requests.ts'
import { isWorthRetrying, readRetryAfter, retryDelayMs } from './retries.ts'
import type { ClientOptions } from './types.ts'
import { wait, withTimeout } from './waiting.ts'

const defaultTimeoutMs = 30_000
const defaultMaxRetries = 3
const defaultMaxRetryAfterMs = 60_000

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AtlasConnectionError('The response is not valid JSON.', { cause })
  }
}

const problemOf = (response: Response, text: string): AtlasProblem => {
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  let body: unknown
  try {
    body = isJson ? JSON.parse(text) : undefined
  } catch {
    // Without a valid body, the error has only the status.
  }
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as ProblemBody) : {}
  return new AtlasProblem(
    response.status,
    members,
    response.headers,
    readRetryAfter(response.headers.get('retry-after'), Date.now())
  )
}

/** Sends the request once and reads the whole response within the timeout. */
const attempt = async (request: PreparedRequest, options: ClientOptions): Promise<unknown> => {
  const token = await options.getAccessToken?.()
  const send = options.fetch ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init))
  const { entry, target, headers, body } = request
  const init: RequestInit = {
    method: entry.verb,
    headers:
      token === undefined || token === null || token === ''
        ? headers
        : { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials })
  }
  return withTimeout(
    request.options.timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs,
    request.options.signal,
    async (signal) => {
      let response: Response
      let text: string
      try {
        response = await send(`${options.baseUrl.replace(/\/$/, '')}${target}`, { ...init, signal })
        text = await response.text()
      } catch (cause) {
        throw new AtlasConnectionError(`${entry.verb} ${entry.path} got no response.`, { cause })
      }
      if (!response.ok) throw problemOf(response, text)
      if (text === '') return undefined
      return response.headers.get('content-type')?.includes('json') === true ? parse(text) : text
    }
  )
}

/**
 * Sends a request, and retries it while the error is temporary.
 * @returns the response body: parsed JSON, text, or undefined when it is empty
 * @throws AtlasProblem, AtlasTimeout, AtlasConnectionError; what getAccessToken throws; the reason of an aborted signal
 */
export const sendRequest = async (request: PreparedRequest, options: ClientOptions): Promise<unknown> => {
  const { entry, headers, target } = request
  const hasCursor = entry.page !== undefined && new URL(target, 'http://host').searchParams.has(entry.page.parameter)
  const repeatable = {
    verb: entry.verb,
    readOnly: entry.readOnly === true,
    keyed: entry.idempotent === true && headers['idempotency-key'] !== undefined,
    conditional: headers['if-match'] !== undefined,
    movesPosition: entry.movesPosition === true && !hasCursor
  }
  for (let retry = 0; ; retry += 1) {
    try {
      return await attempt(request, options)
    } catch (error) {
      if (
        !(error instanceof AtlasError) ||
        retry >= (options.maxRetries ?? defaultMaxRetries) ||
        !isWorthRetrying(error, repeatable)
      )
        throw error
      const retryAfterMs = error instanceof AtlasProblem ? error.retryAfterMs : undefined
      // A retry before Retry-After would fail again.
      if (retryAfterMs !== undefined && retryAfterMs > (options.maxRetryAfterMs ?? defaultMaxRetryAfterMs)) throw error
      await wait(retryDelayMs(retry, Math.random(), retryAfterMs), request.options.signal)
    }
  }
}
