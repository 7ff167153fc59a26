import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { toToolProblem } from './problems.ts'
import type { ToolTemplate } from './template.ts'

/** The response of an operation, with its body as text. */
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

/** Turns a problem into a result: what happened, the invalid fields, and what to do. */
const failureOf = ({ status, headers, text }: OperationAnswer, template: ToolTemplate): CallToolResult => {
  const problem = readObject(text) ?? { status, detail: text }
  const wait = headers['retry-after']
  return {
    isError: true,
    content: content({
      ...toToolProblem(problem, template),
      ...(wait === undefined ? {} : { retryAfterSeconds: Number(wait) })
    })
  }
}

const noteOf = (headers: OperationAnswer['headers']): string | undefined => {
  if (headers['idempotent-replayed'] !== 'true') return undefined
  return headers['idempotency-mismatch'] === undefined
    ? 'This replays the first response to this idempotency_key. Nothing was done again.'
    : 'Nothing was done: this replays the response to this idempotency_key with other arguments. Use a new key for a new effect.'
}

/** Turns a response into a result: the body as data and as text, and a note when the response is a replay. */
export const resultOf = (answer: OperationAnswer, template: ToolTemplate): CallToolResult => {
  if (answer.status >= 400) return failureOf(answer, template)
  const body = readObject(answer.text)
  const note = noteOf(answer.headers)
  return {
    content: [...content(body ?? 'Done.'), ...(note === undefined ? [] : content(note))],
    ...(body === undefined ? {} : { structuredContent: body })
  }
}
