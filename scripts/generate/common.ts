import type { Components, DocumentContent, OperationObject, Parameter, Response } from './model.ts'
import { isObject, operationsOf } from './model.ts'

type Responses = Record<string, Response>

/** What openapi.yaml says once for all operations, under `x-common`. */
export interface Common {
  headers?: Record<string, unknown>
  responses?: { always?: Responses; secured?: Responses; input?: Responses; body?: Responses; idempotent?: Responses }
  idempotencyParameter?: Parameter
}

/** Adds to every operation what `x-common` says of its kind; what the operation says itself stays. Changes the document. */
export function expandCommon(document: DocumentContent & { components: Components }, common: Common): void {
  for (const { path, method, operation } of operationsOf(document.paths)) {
    const pathParameters = document.paths?.[path]?.parameters ?? []
    const idempotent = isIdempotent(method, operation)
    if (idempotent && common.idempotencyParameter !== undefined) {
      operation.parameters = [...(operation.parameters ?? []), structuredClone(common.idempotencyParameter)]
    }
    const parameters = [...pathParameters, ...(operation.parameters ?? [])]
    const { always, secured, input, body, idempotent: keyed } = common.responses ?? {}
    operation.responses = {
      ...structuredClone(always),
      ...(isSecured(operation) ? structuredClone(secured) : {}),
      ...(parameters.length > 0 || operation.requestBody !== undefined ? structuredClone(input) : {}),
      ...(operation.requestBody !== undefined ? structuredClone(body) : {}),
      ...(idempotent ? structuredClone(keyed) : {}),
      ...operation.responses
    }
    for (const response of Object.values(operation.responses)) addHeaders(response, common)
  }
  for (const response of Object.values(document.components.responses ?? {})) addHeaders(response, common)
}

function addHeaders(response: Response, { headers }: Common): void {
  if (response.$ref === undefined && isObject(headers))
    response.headers = { ...structuredClone(headers), ...response.headers }
}

/** Whether any alternative asks for a credential. */
export function isSecured({ security }: OperationObject): boolean {
  return security.some((alternative) => Object.keys(alternative).length > 0)
}

/** Whether the operation changes nothing: a GET, or a POST that only calculates from what it is sent, as `x-read-only` says. */
export function isReadOnly(method: string, operation: OperationObject): boolean {
  return method === 'get' || operation['x-read-only'] === true
}

/**
 * Whether the operation honours Idempotency-Key: a POST with a caller. The refresh cookie alone makes no caller (a
 * refresh is single-use by itself), and `x-idempotent: false` excepts an operation.
 */
export function isIdempotent(method: string, operation: OperationObject): boolean {
  return (
    method === 'post' &&
    operation['x-idempotent'] !== false &&
    operation.security.some((alternative) => Object.keys(alternative).some((scheme) => scheme !== 'RefreshCookie'))
  )
}
