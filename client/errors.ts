/** What every error of the client is. */
export class AtlasError extends Error {
  override readonly name: string = 'AtlasError'
}

/** No answer arrived: the network failed, or what came was cut short. */
export class AtlasConnectionError extends AtlasError {
  override readonly name = 'AtlasConnectionError'
}

/** An attempt took longer than it may. */
export class AtlasTimeout extends AtlasError {
  override readonly name = 'AtlasTimeout'
  constructor(readonly timeoutMs: number) {
    super(`No answer within ${timeoutMs} ms.`)
  }
}

/** A webhook's body is not what the server signed, or is too old. */
export class AtlasSignatureError extends AtlasError {
  override readonly name = 'AtlasSignatureError'
}

/** A field of the request that is not as the specification wants it. */
export interface FieldError {
  path: string
  message: string
}

export type ProblemBody = Record<string, unknown>

/** The server refused: any answer other than a successful one. */
export class AtlasProblem extends AtlasError {
  override readonly name = 'AtlasProblem'
  /** The stable code, such as `insufficient_funds`; `http_<status>` when something else than the API answered. */
  readonly code: string
  readonly type: string | undefined
  readonly title: string
  readonly detail: string
  /** The fields that failed; empty when the error is about something else. */
  readonly errors: readonly FieldError[]
  /** Finds the request in the server's log. */
  readonly requestId: string | undefined

  /**
   * @param status the HTTP status
   * @param body the problem as it came; empty when it was no problem document. Members of its own, such as `available` of `insufficient_funds`, are read here.
   * @param headers of the answer
   * @param retryAfterMs how long the server asked to wait; undefined when it did not
   */
  constructor(
    readonly status: number,
    readonly body: ProblemBody,
    readonly headers: Headers,
    readonly retryAfterMs: number | undefined
  ) {
    const text = (name: string): string | undefined => (typeof body[name] === 'string' ? body[name] : undefined)
    const code = text('error') ?? text('title') ?? `http_${status}`
    const detail = text('detail') ?? `The server answered ${status}.`
    super(`${code}: ${detail}`)
    this.code = code
    this.type = text('type')
    this.title = text('title') ?? code
    this.detail = detail
    this.errors = Array.isArray(body['errors']) ? (body['errors'] as FieldError[]) : []
    this.requestId = text('requestId') ?? headers.get('x-request-id') ?? undefined
  }
}
