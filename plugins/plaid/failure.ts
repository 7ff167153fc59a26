import { upstreamUnavailable } from '../http/errors/kinds.ts'
import { defineProblem, ProblemError } from '../http/errors/problem.ts'

const upstreamRefused = defineProblem({
  status: 502,
  code: 'upstream_refused',
  meaning: 'A service behind this one answered, and refused what this server asked of it.',
  cure: '`error_code` is the service’s own code, and `request_id` finds the call in its dashboard. Where the code tells of the bank or of the link, repair the link; else tell the operator.'
})

/** Plaid answered and refused. One that nobody catches becomes a 502 with Plaid's code in it. */
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

/** What went wrong with one call, without anything of its request: that holds credentials. */
export interface CallFault {
  /** `busy` was refused before it was begun, `unknown` may have been done although no answer says so, `refused` was answered. */
  kind: 'busy' | 'unknown' | 'refused'
  error: ProblemError
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const unanswered = (reason: string): ProblemError =>
  upstreamUnavailable(`Plaid did not answer (${reason}). Try again soon with the same idempotency key.`)

/** Socket errors of a connection that never came about: nothing was asked, so anything may be asked again. */
const neverConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

/** What comes of a call by Plaid's package that failed, in the terms of axios, on which it is built; told by its mark, since the package loads a copy of its own. */
interface HttpError {
  isAxiosError: true
  code?: string
  response?: { status: number; data: unknown }
}

const isHttpError = (error: unknown): error is HttpError =>
  typeof error === 'object' && error !== null && 'isAxiosError' in error

/** Reads what an HTTP client threw; what is not of HTTP is a fault of ours and thrown on. */
export const readFault = (error: unknown): CallFault => {
  if (!isHttpError(error)) throw error
  const { response, code } = error
  if (response === undefined)
    return { kind: neverConnected.has(code ?? '') ? 'busy' : 'unknown', error: unanswered(code ?? 'no connection') }
  const body = (typeof response.data === 'object' && response.data !== null ? response.data : {}) as Record<
    string,
    unknown
  >
  const errorType = textOf(body.error_type) ?? 'UNKNOWN'
  const errorCode = textOf(body.error_code) ?? `HTTP_${response.status}`
  if (response.status === 429 || errorType === 'RATE_LIMIT_EXCEEDED')
    return { kind: 'busy', error: unanswered(errorCode) }
  if (response.status >= 500) return { kind: 'unknown', error: unanswered(errorCode) }
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
