import { isIdempotent, isOpenQuery, isSecured } from './kinds.ts'
import { isObject, operationsOf, type Bundle, type Parameter, type Response } from './model.ts'

type Responses = Record<string, Response>

/** The parts that openapi.yaml defines once for all operations, under `x-common`. */
interface Common {
  headers?: Record<string, unknown>
  responses?: { always?: Responses; secured?: Responses; input?: Responses; body?: Responses; idempotent?: Responses }
  idempotencyParameter?: Parameter
}

const addHeaders = (response: Response, { headers }: Common): void => {
  if (response.$ref === undefined && isObject(headers))
    response.headers = { ...structuredClone(headers), ...response.headers }
}

/** Adds to every operation the parts of `x-common` that apply to it, in place. An operation's own parts take precedence. */
export const expandCommon = (document: Bundle['document'], common: Common): void => {
  const { always, secured, input, body, idempotent: keyed } = common.responses ?? {}
  for (const { path, method, operation } of operationsOf(document.paths)) {
    const idempotent = isIdempotent(method, operation)
    if (idempotent && common.idempotencyParameter !== undefined) {
      operation.parameters = [...(operation.parameters ?? []), structuredClone(common.idempotencyParameter)]
    }
    const hasBody = operation.requestBody !== undefined
    const hasParameters = [...(document.paths[path]?.parameters ?? []), ...(operation.parameters ?? [])].length > 0
    operation.responses = {
      ...structuredClone(always),
      ...(isSecured(operation) ? structuredClone(secured) : {}),
      ...(hasParameters || hasBody || !isOpenQuery(operation) ? structuredClone(input) : {}),
      ...(hasBody ? structuredClone(body) : {}),
      ...(idempotent ? structuredClone(keyed) : {}),
      ...operation.responses
    }
    for (const response of Object.values(operation.responses)) addHeaders(response, common)
  }
  for (const response of Object.values(document.components.responses ?? {})) addHeaders(response, common)
}
