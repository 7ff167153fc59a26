import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { problemKinds, slugOf } from '../http/errors/problem.ts'

/** What an operation answered: a status, headers, and the body as text. */
export interface OperationAnswer {
  status: number
  headers: Readonly<Record<string, unknown>>
  text: string
}

const content = (value: unknown): CallToolResult['content'] => [
  { type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }
]

const readObject = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** A problem as a result that says what went wrong, in which fields, and what can be done about it. */
const failureOf = ({ status, headers, text }: OperationAnswer): CallToolResult => {
  const problem = readObject(text) ?? { status, detail: text }
  const cure = problemKinds.get(slugOf(String(problem.error)))?.cure
  const wait = headers['retry-after']
  return {
    isError: true,
    content: content({
      ...problem,
      ...(cure === undefined ? {} : { cure }),
      ...(wait === undefined ? {} : { retryAfterSeconds: Number(wait) })
    })
  }
}

const noteOf = (headers: OperationAnswer['headers']): string | undefined => {
  if (headers['idempotent-replayed'] !== 'true') return undefined
  return headers['idempotency-mismatch'] === undefined
    ? 'This is the first answer to this idempotency_key again; nothing was done anew.'
    : 'Nothing was done: this idempotency_key was used before with other arguments, and this is the answer to those. For something new, make a new key.'
}

/** What a model is told of an operation's answer: the body as data and as text, and whether it is only a repetition. */
export const resultOf = (answer: OperationAnswer): CallToolResult => {
  if (answer.status >= 400) return failureOf(answer)
  const body = readObject(answer.text)
  const note = noteOf(answer.headers)
  return {
    content: [...content(body ?? 'Done.'), ...(note === undefined ? [] : content(note))],
    ...(body === undefined ? {} : { structuredContent: body })
  }
}
