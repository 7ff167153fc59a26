import { Answer } from './answer.ts'
import type { Operation } from './table.ts'
import { checkAnswer, serialiseAnswer } from './validate.ts'

/** A response that is ready to be sent. */
export interface Outcome {
  status: number
  headers: Record<string, string | string[]>
  /** The serialised body; undefined for a response without one. */
  text: string | undefined
}

const noHeaders: Record<string, string> = {}

/** The status of a response for which the handler returned only a body. */
const successOf = (operation: Operation): number =>
  Number(
    Object.keys(operation.schema.response).find((status) => status.startsWith('2') || status.startsWith('3')) ?? 200
  )

/**
 * Turns a handler's result into a response by the schema of its status.
 * @param isChecked whether the response is also checked against the specification, as it is outside production.
 * @throws Error for a status or a body that is not in the specification.
 */
export const createSerialiser = (operation: Operation, isChecked: boolean): ((result: unknown) => Outcome) => {
  const success = successOf(operation)
  return (result) => {
    const { status, body, headers } =
      result instanceof Answer
        ? (result as Answer<number, unknown>)
        : { status: success, body: result, headers: noHeaders }
    const schema = operation.schema.response[status]
    if (schema === undefined) {
      throw new Error(`${operation.operationId} returned ${status}, which is not in its specification.`)
    }
    if (body === undefined || body === null) return { status, headers, text: undefined }
    if (typeof body === 'string') return { status, headers, text: body }
    const text = serialiseAnswer(operation, status, body)
    // Checks the serialized body, to detect fields that the serializer drops or adds.
    const fault = isChecked ? checkAnswer(schema, JSON.parse(text)) : undefined
    if (fault !== undefined) {
      throw new Error(`${operation.operationId} returned a body that does not match its specification: ${fault}`)
    }
    return { status, headers, text }
  }
}
