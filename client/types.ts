import type { operations, webhooks } from '../spec/generated/client.ts'

type Operations = operations
export type OperationId = keyof Operations

/** What a credential is asked for: a value, or a promise of one; null sends none. */
export type GetAccessToken = () => string | null | undefined | Promise<string | null | undefined>

/** The part of fetch that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface ClientOptions {
  /** Where the server is, such as https://api.example.com. */
  baseUrl: string
  /** The bearer credential. Asked for at every attempt, so that a rotated one is used at once. */
  getAccessToken?: GetAccessToken
  /** In place of the global fetch. */
  fetch?: Fetch
  /** How long one attempt may take; 30 seconds unless said otherwise. */
  timeoutMs?: number
  /** How often a request is sent again after the first time; 3 unless said otherwise. */
  maxRetries?: number
  /** The longest wait that the server may ask for (Retry-After); when it asks for more, its answer is thrown instead. A minute unless said otherwise. */
  maxRetryAfterMs?: number
  /** Headers of every request. */
  headers?: Record<string, string>
  /** Whether a browser sends cookies, which refreshing a session needs: `include` for a server on another origin. */
  credentials?: RequestInit['credentials']
}

/** What a single call may say beside its input. */
export interface CallOptions {
  /** In place of the key that the client makes for this call; visible ASCII. */
  idempotencyKey?: string
  /** The `version` that an edit is based on. */
  ifMatch?: string | number
  /** Ends the call, its waits and its retries. */
  signal?: AbortSignal
  /** How long one attempt of this call may take. */
  timeoutMs?: number
  headers?: Record<string, string>
}

/** What a method sends, and where its pages have what. */
export interface MethodEntry {
  readonly verb: string
  readonly path: string
  readonly input?: 'query' | 'json' | 'form'
  readonly accept?: string
  /** Whether each call gets an idempotency key, under which the server keeps the answer. */
  readonly idempotent?: true
  /** Whether it is a POST that changes nothing. */
  readonly readOnly?: true
  readonly page?: {
    readonly lists: readonly string[]
    readonly next: string
    readonly parameter: string
  }
  /** Whether a request without a cursor moves a position that the server keeps. */
  readonly movesPosition?: true
}

export type MethodTable = Readonly<Record<string, Readonly<Record<string, MethodEntry>>>>

/** The query of an operation. */
export type Query<Id extends OperationId> = NonNullable<Operations[Id]['parameters']['query']>

type ContentOf<Part> = Part extends { content: infer Content } ? Content : never

/** What is JSON where that is offered, otherwise the first that is. */
type Preferred<Content> = Content extends { 'application/json': infer Json } ? Json : Content[keyof Content]

/** The body of an operation. */
export type Body<Id extends OperationId> = Preferred<ContentOf<NonNullable<Operations[Id]['requestBody']>>>

type AnswerBody<Response> = Response extends { content: infer Content }
  ? Content extends { 'application/json': infer Json }
    ? Json
    : string
  : void

type Success = 200 | 201 | 202 | 203 | 204

/** What an operation answers when it succeeds. */
export type Answer<Id extends OperationId> = {
  [Status in keyof Operations[Id]['responses'] & Success]: AnswerBody<Operations[Id]['responses'][Status]>
}[keyof Operations[Id]['responses'] & Success]

/** What is in a list of an operation's answer. */
export type Item<Id extends OperationId, List extends string> =
  Answer<Id> extends { [Name in List]: readonly (infer Element)[] } ? Element : never

type EventOf<Path> = Path extends { post: { requestBody?: infer RequestBody } }
  ? Preferred<ContentOf<NonNullable<RequestBody>>>
  : never

/** What a webhook delivers; `type` tells which event it is. */
export type AtlasEvent = { [Name in keyof webhooks]: EventOf<webhooks[Name]> }[keyof webhooks]
