import type { TSchema } from '@sinclair/typebox'

/** The types of the operation tables that `npm run generate` writes. */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'

export type SecurityScheme =
  'PartnerKey' | 'AgentKey' | 'BearerJWT' | 'RefreshCookie' | 'PersonalAccessToken' | 'IngestSecret'

/** `auth_address` and `auth_account` count sign-ins beside `auth`; no operation has them as its class. */
export type RateLimitClass =
  'standard' | 'read' | 'write' | 'ai' | 'ingest' | 'auth' | 'auth_address' | 'auth_account' | 'registration'

/** A fixed window: `limit` requests in each `windowSeconds`. */
export interface RateLimit {
  readonly limit: number
  readonly windowSeconds: number
}

/** The parts that Fastify validates and serialises. A response without content has the schema of null. */
export interface OperationSchema {
  readonly params?: TSchema
  readonly querystring?: TSchema
  /** Header names are in lower case, as Node gives them. */
  readonly headers?: TSchema
  readonly body?: TSchema
  readonly response: Readonly<Record<number, TSchema>>
}

export interface Operation {
  readonly operationId: string
  readonly method: Method
  /** As OpenAPI writes it: `/v1/transfers/{id}`. */
  readonly path: string
  /** As Fastify writes it: `/v1/transfers/:id`. */
  readonly url: string
  /** The document that describes the operation: `payments` for spec/payments.yaml. */
  readonly group: string
  readonly tag: string
  /** Media types of the body; empty when the operation accepts no body. */
  readonly bodyTypes: readonly string[]
  /** False when the body is optional. Its schema then allows null, which Fastify validates for a missing body. */
  readonly bodyRequired: boolean
  readonly schema: OperationSchema
  /** Alternatives, any of which is sufficient. An empty alternative allows anonymous callers; an empty list requires no credential. */
  readonly security: readonly (readonly SecurityScheme[])[]
  readonly scopes: readonly string[]
  readonly rateLimitClass: RateLimitClass
  /** The class that also counts requests without a caller, by their address. */
  readonly anonymousRateLimitClass?: RateLimitClass
  /** Whether Idempotency-Key is honoured. */
  readonly idempotent: boolean
  /** The operation's other `x-` members, by their names in the document. */
  readonly extensions?: Readonly<Record<string, unknown>>
}

export type OperationTable = Readonly<Record<string, Operation>>
