import { upstreamUnavailable } from '../http/errors/kinds.ts'
import { defineProblem, ProblemError } from '../http/errors/problem.ts'

const upstreamRefused = defineProblem({
  status: 502,
  code: 'upstream_refused',
  meaning: 'An upstream service responded and refused the call of this server.',
  cure: '`error_code` is the service’s own code, and `request_id` finds the call in its dashboard. If the code is about the bank or the link, repair the link; otherwise contact the operator.'
})

/** Plaid refused a call. Uncaught, it becomes a 502 with Plaid's code. */
export class PlaidFailure extends ProblemError {
  constructor(
    readonly status: number,
    readonly errorType: string,
    readonly errorCode: string,
    readonly requestId: string | null,
    readonly displayMessage: string | null
  ) {
    super(upstreamRefused.kind, `Plaid refused the call with ${errorCode}.`, {
      error_code: errorCode,
      request_id: requestId
    })
  }
}

/** Whether Plaid refused with one of these codes. */
export const isPlaidFailure = (error: unknown, ...codes: string[]): error is PlaidFailure =>
  error instanceof PlaidFailure && (codes.length === 0 || codes.includes(error.errorCode))

/** How a call failed, without anything of its request, which contains credentials. */
export interface CallFault {
  /** `busy`: Plaid has not begun the call. `unknown`: Plaid may have completed it. `refused`: Plaid responded with an error. */
  kind: 'busy' | 'unknown' | 'refused'
  error: ProblemError
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const noResponse = (reason: string): ProblemError =>
  upstreamUnavailable(`Plaid did not respond (${reason}). Retry soon with the same idempotency key.`)

/** Socket errors before a connection exists: Plaid received nothing, so every call may be retried. */
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

/** An axios error, recognised by its mark, because Plaid's SDK loads its own copy of axios. */
interface HttpError {
  isAxiosError: true
  code?: string
  response?: { status: number; data: unknown }
}

const isHttpError = (error: unknown): error is HttpError =>
  typeof error === 'object' && error !== null && 'isAxiosError' in error

/** Reads an error of the HTTP client. @throws the error itself when it is another one */
export const readFault = (error: unknown): CallFault => {
  if (!isHttpError(error)) throw error
  const { response, code } = error
  if (response === undefined)
    return { kind: neverConnected.has(code ?? '') ? 'busy' : 'unknown', error: noResponse(code ?? 'no connection') }
  const body = (typeof response.data === 'object' && response.data !== null ? response.data : {}) as Record<
    string,
    unknown
  >
  const errorType = textOf(body.error_type) ?? 'UNKNOWN'
  const errorCode = textOf(body.error_code) ?? `HTTP_${response.status}`
  if (response.status === 429 || errorType === 'RATE_LIMIT_EXCEEDED')
    return { kind: 'busy', error: noResponse(errorCode) }
  if (response.status >= 500) return { kind: 'unknown', error: noResponse(errorCode) }
  return {
    kind: 'refused',
    error: new PlaidFailure(
      response.status,
      errorType,
      errorCode,
      textOf(body.request_id),
      textOf(body.display_message)
    )
  }
}
