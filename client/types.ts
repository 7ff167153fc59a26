import type { operations, webhooks } from '../spec/generated/client.ts'

export type OperationId = keyof operations

/** Returns the bearer credential; null sends none. */
export type GetAccessToken = () => string | null | undefined | Promise<string | null | undefined>

/** The part of fetch that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface ClientOptions {
  /** URL of the server, such as https://api.example.com. */
  baseUrl: string
  /** Called for every attempt, so that a rotated credential is used at once. */
  getAccessToken?: GetAccessToken
  /** Replaces the global fetch. */
  fetch?: Fetch
  /** Timeout of one attempt; Infinity, or anything above 24 days, for none. Default: 30 seconds. */
  timeoutMs?: number
  /** Maximum number of retries after the first attempt. Default: 3. */
  maxRetries?: number
  /** Longest Retry-After that the client waits for; a longer one throws the error. Infinity for no limit. Default: 1 minute. */
  maxRetryAfterMs?: number
  /** Headers sent with every request. */
  headers?: Record<string, string>
  /** Cookie mode in browsers. Refreshing a session on another origin requires `include`. */
  credentials?: RequestInit['credentials']
}

/** Options of a single call. */
export interface CallOptions {
  /** Replaces the generated idempotency key; visible ASCII. */
  idempotencyKey?: string
  /** `version` that the edit is based on. */
  ifMatch?: string | number
  /** Aborts the call, including waits and retries. */
  signal?: AbortSignal
  /** Timeout of one attempt of this call. */
  timeoutMs?: number
  headers?: Record<string, string>
}

/** The request of a method, and the fields of its pages. */
export interface MethodEntry {
  readonly verb: string
  readonly path: string
  readonly input?: 'query' | 'json' | 'form'
  readonly accept?: string
  /** Whether each call gets an idempotency key. */
  readonly idempotent?: true
  /** Whether it is a read-only POST. */
  readonly readOnly?: true
  readonly page?: {
    readonly lists: readonly string[]
    readonly next: string
    readonly parameter: string
  }
  /** Whether a request without a cursor moves a position that the server stores. */
  readonly movesPosition?: true
}

export type MethodTable = Readonly<Record<string, Readonly<Record<string, MethodEntry>>>>

/** The query parameters of an operation. */
export type Query<Id extends OperationId> = NonNullable<operations[Id]['parameters']['query']>

type ContentOf<Part> = Part extends { content: infer Content } ? Content : never

/** JSON if offered, otherwise any of the other media types. */
type Preferred<Content> = Content extends { 'application/json': infer Json } ? Json : Content[keyof Content]

/** The request body of an operation. */
export type Body<Id extends OperationId> = Preferred<ContentOf<NonNullable<operations[Id]['requestBody']>>>

type AnswerBody<Response> = Response extends { content: infer Content }
  ? Content extends { 'application/json': infer Json }
    ? Json
    : string
  : void

type Success = 200 | 201 | 202 | 203 | 204

/** The successful response of an operation. */
export type Answer<Id extends OperationId> = {
  [Status in keyof operations[Id]['responses'] & Success]: AnswerBody<operations[Id]['responses'][Status]>
}[keyof operations[Id]['responses'] & Success]

/** An item of a list in an operation's response. */
export type Item<Id extends OperationId, List extends string> =
  Answer<Id> extends { [Name in List]: readonly (infer Element)[] } ? Element : never

type EventOf<Path> = Path extends { post: { requestBody?: infer RequestBody } }
  ? Preferred<ContentOf<NonNullable<RequestBody>>>
  : never

/** A delivered event; `type` is the discriminator. */
export type AtlasEvent = { [Name in keyof webhooks]: EventOf<webhooks[Name]> }[keyof webhooks]
