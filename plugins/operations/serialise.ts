import { Answer } from './answer.ts'
import type { Operation } from './table.ts'
import { checkAnswer, serialiseAnswer } from './validate.ts'

/** A response that is ready to be sent. */
export interface Outcome {
  status: number
  headers: Record<string, string>
  /** The serialised body; undefined for a response without one. */
  text: string | undefined
}

const noHeaders: Record<string, string> = {}

/** The status of a response for which the handler names none. */
const successOf = (operation: Operation): number =>
  Number(
    Object.keys(operation.schema.response).find((status) => status.startsWith('2') || status.startsWith('3')) ?? 200
  )

/**
 * Turns a handler's result into a response by the schema of its status.
 * @param isChecked whether the response is also checked against the specification, as it is outside production.
 * @throws Error for a status or a body that the specification does not have.
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
      throw new Error(`${operation.operationId} returned ${status}, which its specification does not have.`)
    }
    if (body === undefined || body === null) return { status, headers, text: undefined }
    if (typeof body === 'string') return { status, headers, text: body }
    const text = serialiseAnswer(operation, status, body)
    // Checked as the client will read it, so that a field that the serialiser drops or adds is noticed.
    const fault = isChecked ? checkAnswer(schema, JSON.parse(text)) : undefined
    if (fault !== undefined) {
      throw new Error(`${operation.operationId} returned what its specification does not allow: ${fault}`)
    }
    return { status, headers, text }
  }
}
