import type { TSchema } from '@sinclair/typebox'
import { Answer } from './answer.ts'
import { serialiseLong } from './long-answers.ts'
import type { Operation } from './table.ts'
import { checkAnswer, serialiserOf } from './validate.ts'

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

/** The parts of a handler's result, with the schema of its status. @throws Error for a status that is not in the specification */
const partsOf = (operation: Operation, success: number, result: unknown) => {
  const { status, body, headers } =
    result instanceof Answer
      ? (result as Answer<number, unknown>)
      : { status: success, body: result, headers: noHeaders }
  const schema = operation.schema.response[status]
  if (schema === undefined)
    throw new Error(`${operation.operationId} returned ${status}, which is not in its specification.`)
  return { status, body, headers, schema }
}

type Parts = ReturnType<typeof partsOf>

/** The response when there is nothing to serialise: no body, or text. */
const ofPlainBody = ({ status, headers, body }: Parts): Outcome | undefined => {
  if (body === undefined || body === null) return { status, headers, text: undefined }
  return typeof body === 'string' ? { status, headers, text: body } : undefined
}

/** Checks the serialized body, to detect fields that the serializer drops or adds. @throws Error */
const check = (operation: Operation, schema: TSchema, text: string): void => {
  const fault = checkAnswer(schema, JSON.parse(text))
  if (fault !== undefined)
    throw new Error(`${operation.operationId} returned a body that does not match its specification: ${fault}`)
}

/**
 * Turns a handler's result into a response by the schema of its status: at once for mutations, whose transaction waits, and in turns with the event loop
 * for reads, which can be long.
 * @param isChecked whether the response is also checked against the specification, as it is outside production.
 * @throws Error for a status or a body that is not in the specification.
 */
export const createSerialisers = (operation: Operation, isChecked: boolean) => {
  const success = successOf(operation)
  const finish = ({ status, headers, schema }: Parts, text: string): Outcome => {
    if (isChecked) check(operation, schema, text)
    return { status, headers, text }
  }
  return {
    atOnce(this: void, result: unknown): Outcome {
      const parts = partsOf(operation, success, result)
      return ofPlainBody(parts) ?? finish(parts, serialiserOf(parts.schema)(parts.body))
    },
    async inTurns(this: void, result: unknown): Promise<Outcome> {
      const parts = partsOf(operation, success, result)
      return ofPlainBody(parts) ?? finish(parts, await serialiseLong(parts.schema, parts.body, serialiserOf))
    }
  }
}
