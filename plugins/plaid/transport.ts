import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent, request, type Dispatcher } from 'undici'

const connectTimeoutMs = 5_000
/** Many times the size of the largest page of transactions. */
const largestResponseBytes = 64 * 1024 * 1024

/** Separate from the global dispatcher, so that nothing else in this process can redirect credentials. */
const agent = new Agent({ connect: { timeout: connectTimeoutMs }, maxResponseSize: largestResponseBytes })

/** The part of an axios request that the adapter reads. Plaid's SDK is built on axios. */
interface AxiosRequest {
  url: string
  method: string
  headers: { toJSON(): Record<string, string> }
  data?: string
}

/** An error in the shape of axios. */
const axiosError = (message: string, more: object): Error =>
  Object.assign(new Error(message), { isAxiosError: true, ...more })

/** Replaces U+0000, which PostgreSQL cannot store, by U+FFFD. Bank texts can contain it. */
const withoutNul = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value

/** @returns undefined when the text is not JSON. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text, text.includes(String.raw`\u0000`) ? withoutNul : undefined)
  } catch {
    return undefined
  }
}

const unzip = promisify(gunzip)

const textOf = async ({ body, headers }: Dispatcher.ResponseData): Promise<string> => {
  const bytes = Buffer.from(await body.arrayBuffer())
  const compressed = /^\s*(?:x-)?gzip\s*$/i.test(String(headers['content-encoding'])) && bytes.length > 0
  return new TextDecoder().decode(compressed ? await unzip(bytes, { maxOutputLength: largestResponseBytes }) : bytes)
}

/** The code of a failed request. A timeout's own code is a number, so it is named here. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && error.name === 'TimeoutError' ? 'ETIMEDOUT' : (error as { code?: string }).code

/**
 * Creates an axios adapter that sends Plaid's requests with undici, in half the time of axios's own adapter.
 *
 * @param timeoutMs how long a request may take until the whole response has arrived
 * @returns an adapter that throws as axios does: an error with a `code` when no complete response arrived, or with the `response` when its
 *   status is not 2xx.
 */
export const createUndiciAdapter =
  (timeoutMs: number) =>
  async (config: AxiosRequest): Promise<object> => {
    const { url, method, headers, data: body } = config
    const exchange = async () => {
      const response = await request(url, {
        method: method.toUpperCase(),
        headers: { ...headers.toJSON(), 'accept-encoding': 'gzip' },
        body: body ?? null,
        dispatcher: agent,
        signal: AbortSignal.timeout(timeoutMs)
      })
      return { status: response.statusCode, headers: response.headers, text: await textOf(response) }
    }
    const { text, ...response } = await exchange().catch((error: unknown) => {
      throw axiosError('No complete response arrived.', { code: codeOf(error) })
    })
    const data = parse(text)
    if (response.status < 200 || response.status > 299)
      throw axiosError(`The response has status ${response.status}.`, { response: { ...response, data } })
    if (data === undefined) throw axiosError('The response is not JSON.', { code: 'ERR_NO_JSON' })
    return { ...response, statusText: '', config, data }
  }
