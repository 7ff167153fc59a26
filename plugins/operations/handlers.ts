import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { AgentCaller, IngestCaller, PartnerCaller, SessionCaller, TokenCaller } from '../access/caller.ts'
import type { Db, Trx } from '../database/types.ts'
import type { ProblemError } from '../http/errors/problem.ts'
import type { Answer } from './answer.ts'
import type { Operation, OperationTable } from './table.ts'

interface CallerByScheme {
  PartnerKey: PartnerCaller
  PersonalAccessToken: TokenCaller
  BearerJWT: SessionCaller
  AgentKey: AgentCaller
  IngestSecret: IngestCaller
  RefreshCookie: null
}

type Alternatives<Op extends Operation> = Op['security'][number]

/** The type of the caller: the union over the operation's security alternatives, with null if anonymous callers are allowed. */
export type CallerOf<Op extends Operation> =
  | CallerByScheme[Alternatives<Op>[number]]
  | (Op['security'] extends readonly [] ? null : never)
  | (readonly [] extends Alternatives<Op> ? null : never)

type Part<Op extends Operation, Name extends 'params' | 'querystring' | 'headers' | 'body'> =
  Op['schema'] extends Record<Name, infer Schema extends TSchema> ? Static<Schema> : undefined

/** The argument of a handler: the validated request, its caller, and the database. */
export interface Call<Op extends Operation, Connection = Db> {
  params: Part<Op, 'params'>
  query: Part<Op, 'querystring'>
  headers: Part<Op, 'headers'>
  body: Part<Op, 'body'>
  caller: CallerOf<Op>
  /** For a mutation, the transaction that commits its effect, its activity row and its stored response. */
  db: Connection
  /** An idempotency key for upstream calls, the same for every retry of this request. */
  onwardKey: string
  request: FastifyRequest
}

type Success = 200 | 201 | 202 | 203 | 204 | 301 | 302 | 303 | 304 | 307 | 308

type SuccessStatus<Op extends Operation> = keyof Op['schema']['response'] & Success

type BodyOf<Op extends Operation, Status> = Status extends keyof Op['schema']['response']
  ? Op['schema']['response'][Status] extends TSchema
    ? Static<Op['schema']['response'][Status]>
    : never
  : never

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never

type AnswerOf<Op extends Operation, Status = SuccessStatus<Op>> = Status extends number
  ? Answer<Status, BodyOf<Op, Status>>
  : never

/**
 * What a handler may return: an `Answer` with a declared status and its body; only the body, if the operation has one success status; or a problem, to commit
 * the changes despite the error.
 */
export type Result<Op extends Operation> =
  AnswerOf<Op> | ProblemError | (IsUnion<SuccessStatus<Op>> extends true ? never : BodyOf<Op, SuccessStatus<Op>>)

type PreparesFirst<Op extends Operation> = Op['extensions'] extends
  { readonly 'x-upstream': string } | { readonly 'x-prepares': true }
  ? true
  : false

type IsRead<Op extends Operation> = Op['method'] extends 'GET' | 'HEAD'
  ? true
  : Op['extensions'] extends { readonly 'x-read-only': true }
    ? true
    : false

/**
 * A handler of one operation.
 * - A read (a GET, or a POST that the specification marks with `x-read-only`) receives the database.
 * - A mutation receives the transaction. Its changes commit together with its response, or not at all.
 * - A mutation that the specification marks with `x-upstream` first calls the upstream service, outside any transaction, and then returns its effect. One marked
 *   with `x-prepares` does other slow work first, such as hashing a password.
 */
export type Handler<Op extends Operation> =
  IsRead<Op> extends true
    ? (call: Call<Op>) => Promise<Result<Op>>
    : PreparesFirst<Op> extends true
      ? (call: Call<Op>) => Promise<(db: Trx) => Promise<Result<Op>>>
      : (call: Call<Op, Trx>) => Promise<Result<Op>>

/** One handler for each operation of a table. Missing and unknown handlers do not compile. */
export type Handlers<Table extends OperationTable> = { readonly [Id in keyof Table]: Handler<Table[Id]> }
