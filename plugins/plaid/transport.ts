import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent, request, type Dispatcher } from 'undici'

const connectTimeoutMs = 5_000
/** Many times what the largest page of transactions takes. */
const largestAnswerBytes = 64 * 1024 * 1024

/** Of its own, so that nothing else in this process decides where credentials go. */
const agent = new Agent({ connect: { timeout: connectTimeoutMs }, maxResponseSize: largestAnswerBytes })

/** What axios, on which Plaid's package is built, tells of a request that is to be sent. */
interface Outgoing {
  url: string
  method: string
  headers: { toJSON(): Record<string, string> }
  data?: string
}

/** A failure as axios knows it. */
const failure = (message: string, more: object): Error =>
  Object.assign(new Error(message), { isAxiosError: true, ...more })

/** U+0000, which a bank's text can hold and PostgreSQL cannot, reads as U+FFFD. */
const withoutNul = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value

/** @returns undefined for what is no JSON, which never has this value. */
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
  return new TextDecoder().decode(compressed ? await unzip(bytes, { maxOutputLength: largestAnswerBytes }) : bytes)
}

/** Why no answer came; the error of a time that is up has a number for its code. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && error.name === 'TimeoutError' ? 'ETIMEDOUT' : (error as { code?: string }).code

/**
 * Sends the requests of Plaid's package by undici, which takes half of the time that axios takes by itself: an adapter in axios's terms.
 *
 * @param timeoutMs how long a request may take until its answer is there to its end
 * @returns an adapter that throws what axios throws: an error with the `code` of why no whole answer came, or with the `response` when its status is no success.
 */
export const byUndici =
  (timeoutMs: number) =>
  async (config: Outgoing): Promise<object> => {
    const { url, method, headers, data: body } = config
    const exchange = async () => {
      const answer = await request(url, {
        method: method.toUpperCase(),
        headers: { ...headers.toJSON(), 'accept-encoding': 'gzip' },
        body: body ?? null,
        dispatcher: agent,
        signal: AbortSignal.timeout(timeoutMs)
      })
      return { status: answer.statusCode, headers: answer.headers, text: await textOf(answer) }
    }
    const { text, ...answer } = await exchange().catch((error: unknown) => {
      throw failure('No answer came.', { code: codeOf(error) })
    })
    const data = parse(text)
    if (answer.status < 200 || answer.status > 299)
      throw failure(`The answer was ${answer.status}.`, { response: { ...answer, data } })
    if (data === undefined) throw failure('The answer is not JSON.', { code: 'ERR_NO_JSON' })
    return { ...answer, statusText: '', config, data }
  }
