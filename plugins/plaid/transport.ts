import { request } from 'undici'

/** What axios, on which Plaid's package is built, tells of a request that is to be sent. */
interface Outgoing {
  url: string
  method: string
  headers: { toJSON(): Record<string, string> }
  data?: string
}

/** A failure as axios knows it, which reads the body of an answer that is in it. */
const failure = (message: string, more: object): Error => Object.assign(new Error(message), { isAxiosError: true, ...more })

/** U+0000, which a bank's text can hold and PostgreSQL cannot, reads as U+FFFD. */
const withoutNul = (_name: string, value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text, text.includes(String.raw`\u0000`) ? withoutNul : undefined)
  } catch {
    throw failure('The answer is not JSON.', { code: 'ERR_NO_JSON' })
  }
}

/**
 * Sends the requests of Plaid's package by undici, which takes half of the time that axios takes by itself: an adapter in axios's terms.
 *
 * @param timeoutMs how long the head of an answer may take, and each part of its body
 * @returns an adapter that throws what axios throws: an error with the `code` of why no whole answer came, or with the `response` when its status is no success.
 */
export const byUndici = (timeoutMs: number) => async (config: Outgoing): Promise<object> => {
  const { url, method, headers, data: body } = config
  const exchange = async () => {
    const answer = await request(url, { method: method.toUpperCase(), headers: headers.toJSON(), body: body ?? null, headersTimeout: timeoutMs, bodyTimeout: timeoutMs })
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
  }
  const { text, ...answer } = await exchange().catch((error: unknown) => {
    throw failure('No answer came.', { code: (error as { code?: string }).code })
  })
  if (answer.status >= 200 && answer.status < 300) return { ...answer, statusText: '', config, data: parse(text) }
  throw failure(`The answer was ${answer.status}.`, { response: { ...answer, data: text } })
}
