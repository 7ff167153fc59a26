/** Base class of all errors of the client. */
export class AtlasError extends Error {
  override readonly name: string = 'AtlasError'
}

/** The network failed, or the response was incomplete or invalid. */
export class AtlasConnectionError extends AtlasError {
  override readonly name = 'AtlasConnectionError'
}

/** An attempt exceeded its timeout. */
export class AtlasTimeout extends AtlasError {
  override readonly name = 'AtlasTimeout'
  constructor(readonly timeoutMs: number) {
    super(`The server did not respond within ${timeoutMs} ms.`)
  }
}

/** The signature of a webhook delivery is missing, invalid or too old. */
export class AtlasSignatureError extends AtlasError {
  override readonly name = 'AtlasSignatureError'
}

/** An invalid field of the request. */
export interface FieldError {
  path: string
  message: string
}

export type ProblemBody = Record<string, unknown>

/** The server returned an error. */
export class AtlasProblem extends AtlasError {
  override readonly name = 'AtlasProblem'
  /** The stable code, such as `insufficient_funds`; `http_<status>` when the response did not come from the API. */
  readonly code: string
  readonly type: string | undefined
  readonly title: string
  readonly detail: string
  /** The invalid fields; empty for errors other than validation. */
  readonly errors: readonly FieldError[]
  /** Identifies the request in the server's log. */
  readonly requestId: string | undefined

  /**
   * @param status the HTTP status
   * @param body the problem document, including additional members such as `available`; empty when there is none
   * @param headers the response headers
   * @param retryAfterMs the wait that the server asked for; undefined without Retry-After
   */
  constructor(
    readonly status: number,
    readonly body: ProblemBody,
    readonly headers: Headers,
    readonly retryAfterMs: number | undefined
  ) {
    const text = (name: string): string | undefined => (typeof body[name] === 'string' ? body[name] : undefined)
    const code = text('error') ?? text('title') ?? `http_${status}`
    const detail = text('detail') ?? `The server responded with status ${status}.`
    super(`${code}: ${detail}`)
    this.code = code
    this.type = text('type')
    this.title = text('title') ?? code
    this.detail = detail
    this.errors = Array.isArray(body['errors']) ? (body['errors'] as FieldError[]) : []
    this.requestId = text('requestId') ?? headers.get('x-request-id') ?? undefined
  }
}
