import { createHash, randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { activityOf, writeActivity } from './audit.ts'
import { tenantOf, type Caller } from '../access/caller.ts'
import { transact } from '../database/transaction.ts'
import type { Db, Trx } from '../database/types.ts'
import { idempotencyConflict } from '../http/errors/kinds.ts'
import { ProblemError } from '../http/errors/problem.ts'
import { isAnsweredMeanwhile, type IdempotencyClaim, type StoredAnswer } from './idempotency.ts'
import { Answer } from './answer.ts'
import type { Footprint } from './handlers.ts'
import type { Operation } from './table.ts'
import { atEndOfTurn } from './turn.ts'
import { serialiseAnswer } from './validation.ts'

interface Outcome {
  status: number
  headers: Record<string, string>
  /** The serialised body; undefined for an answer without one. */
  text: string | undefined
}

/** The status of an answer for which the handler names none. */
const successOf = (operation: Operation): number =>
  Number(
    Object.keys(operation.schema.response).find((declared) => declared.startsWith('2') || declared.startsWith('3')) ??
      200
  )

const hashOfBody = (request: FastifyRequest): Buffer =>
  createHash('sha256')
    .update(request.rawBody ?? '')
    .digest()

const claimOf = (operation: Operation, request: FastifyRequest): IdempotencyClaim | undefined => {
  const key = request.headers['idempotency-key']
  if (!operation.idempotent || request.caller === null || typeof key !== 'string') return undefined
  return { tenant: tenantOf(request.caller), key, operationId: operation.operationId, bodyHash: hashOfBody(request) }
}

/** The same at every retry of one keyed request, different for every other request. */
const onwardKeyOf = (claim: IdempotencyClaim | undefined): string =>
  createHash('sha256')
    .update(claim === undefined ? randomUUID() : `${claim.tenant}\n${claim.operationId}\n${claim.key}`)
    .digest('hex')
    .slice(0, 32)

/** The first answer again, and whether this request asked for something else. */
const replayOf = (
  { metrics }: FastifyInstance,
  stored: StoredAnswer,
  claim: IdempotencyClaim
): Outcome | ProblemError => {
  if (stored.operationId !== claim.operationId) {
    return idempotencyConflict(
      'This idempotency key was used for another operation; make a new one for each logical operation.'
    )
  }
  metrics.replayed()
  const sameBody = stored.bodyHash.equals(claim.bodyHash)
  const headers = { 'idempotent-replayed': 'true', ...(sameBody ? {} : { 'idempotency-mismatch': 'body' }) }
  return { status: stored.status, headers, text: stored.text === '' ? undefined : stored.text }
}

const noHeaders: Record<string, string> = {}

const send = (reply: FastifyReply, outcome: Outcome | ProblemError): void => {
  if (outcome instanceof ProblemError) return void reply.sendProblem(outcome)
  const { status, headers, text } = outcome
  if (text === undefined) return void reply.code(status).headers(headers).send()
  if (headers === noHeaders) return reply.sendJson(status, text)
  reply
    .code(status)
    .headers({ 'content-type': 'application/json; charset=utf-8', ...headers })
    .send(text)
}

/** What a handler is given, as the running server sees it; `Call` in handlers.ts is the same for the compiler. A class, since an object with a getter is slow to make. */
class AnyCall {
  readonly params: unknown
  readonly query: unknown
  readonly headers: unknown
  readonly body: unknown
  readonly caller: Caller | null
  #onwardKey: string | undefined

  constructor(
    readonly request: FastifyRequest,
    readonly db: Db,
    private readonly claim?: IdempotencyClaim,
    readonly footprint?: Footprint
  ) {
    this.params = request.params
    this.query = request.query
    this.headers = request.headers
    this.body = request.body
    this.caller = request.caller
  }

  get keyed(): boolean {
    return this.claim !== undefined
  }

  /** Made when it is asked for: most operations call nobody. */
  get onwardKey(): string {
    return (this.#onwardKey ??= onwardKeyOf(this.claim))
  }
}

/** A handler as the running server sees it; `Handler` in handlers.ts is the same for the compiler. */
export type AnyHandler = (call: AnyCall) => Promise<unknown>

type CheckAnswer = (schema: object, body: unknown) => string | undefined

/** Turns what an operation's handler answers into what is sent. */
const createFinisher = (operation: Operation, checkAnswer: CheckAnswer | undefined) => {
  const success = successOf(operation)
  return (result: unknown): Outcome => {
    const { status, body, headers } =
      result instanceof Answer
        ? (result as Answer<number, unknown>)
        : { status: success, body: result, headers: noHeaders }
    const schema = operation.schema.response[status]
    if (schema === undefined)
      throw new Error(`${operation.operationId} answered ${status}, which its specification does not have.`)
    if (body === undefined || body === null) return { status, headers, text: undefined }
    if (typeof body === 'string') return { status, headers, text: body }
    const text = serialiseAnswer(operation, status, body)
    // Checked as the client will read it, so that a field that the serialiser drops or invents is seen.
    const fault = checkAnswer?.(schema, JSON.parse(text))
    if (fault !== undefined)
      throw new Error(`${operation.operationId} answered what its specification does not allow: ${fault}`)
    return { status, headers, text }
  }
}

type Run = (request: FastifyRequest) => Promise<Outcome | ProblemError>

type Carry = (request: FastifyRequest, claim: IdempotencyClaim | undefined) => Promise<Outcome | ProblemError>

/** Holds the key until the outcome is known, and no longer: a client that comes back with its answer in hand must not find the key in use. */
const once = async (
  app: FastifyInstance,
  claim: IdempotencyClaim | undefined,
  work: () => Promise<Outcome | ProblemError>
): Promise<Outcome | ProblemError> => {
  if (claim === undefined) return await work()
  const { db } = app.database
  const release = await app.idempotency.hold(claim.tenant, claim.key)
  try {
    const stored = await app.idempotency.find(db, claim.tenant, claim.key)
    return stored === undefined ? await work() : replayOf(app, stored, claim)
  } catch (error) {
    if (!isAnsweredMeanwhile(error)) throw error
    const stored = await app.idempotency.find(db, claim.tenant, claim.key)
    if (stored === undefined) throw error
    return replayOf(app, stored, claim)
  } finally {
    await release()
  }
}

const isRead = ({ method, extensions }: Operation): boolean =>
  method === 'GET' || method === 'HEAD' || extensions?.['x-read-only'] === true

/** How one operation is run; what the specification says of it is looked at once. */
const createRun = (
  app: FastifyInstance,
  operation: Operation,
  handler: AnyHandler,
  finish: (result: unknown) => Outcome
): Run => {
  const { db } = app.database

  if (isRead(operation)) {
    const read = async (request: FastifyRequest): Promise<Outcome | ProblemError> => {
      const result = await handler(new AnyCall(request, db))
      return result instanceof ProblemError ? result : finish(result)
    }
    if (!operation.idempotent) return read
    /** Who sends a key is given the first answer again, although there is no effect that could be doubled. */
    return (request) => {
      const claim = claimOf(operation, request)
      if (claim === undefined) return read(request)
      return once(app, claim, async () => {
        const outcome = await read(request)
        if (!(outcome instanceof ProblemError))
          await transact(db, (trx) => app.idempotency.store(trx, claim, outcome.status, outcome.text ?? ''))
        return outcome
      })
    }
  }

  /** The transaction of a mutation: its effect, its activity row, and under an idempotency key its answer. */
  const commit = async (
    request: FastifyRequest,
    claim: IdempotencyClaim | undefined,
    effect: (trx: Trx) => Promise<unknown>
  ): Promise<Outcome | ProblemError> =>
    await transact(db, async (trx) => {
      const result = await effect(trx)
      if (result instanceof ProblemError) return result
      const outcome = finish(result)
      if (request.caller !== null && request.caller.kind !== 'ingest') {
        await writeActivity(
          trx,
          operation,
          request.caller,
          request,
          result instanceof Answer ? result.body : result,
          app.clock.now()
        )
      }
      if (claim !== undefined) await app.idempotency.store(trx, claim, outcome.status, outcome.text ?? '')
      return outcome
    })

  const mutate: Carry = (request, claim) =>
    once(app, claim, () => commit(request, claim, (trx) => handler(new AnyCall(request, trx, claim))))

  /** The other service is called outside of any transaction; what it answered is written in one. */
  const callUpstream: Carry = (request, claim) =>
    once(
      app,
      claim,
      async () =>
        await commit(request, claim, (await handler(new AnyCall(request, db, claim))) as (trx: Trx) => Promise<unknown>)
    )

  /** Lets the handler's own statement do all there is to do, and where it declines, runs the effect that the handler then returns. */
  const collect: Carry = async (request, claim) => {
    if (request.caller === null) throw new Error(`${operation.operationId} is carried out for callers alone.`)
    const footprint = { claim, activity: activityOf(operation, request.caller, request, app.clock.now()) }
    const result = await handler(new AnyCall(request, db, claim, footprint))
    if (typeof result !== 'function') return result instanceof ProblemError ? result : finish(result)
    return await once(app, claim, () => commit(request, claim, result as (trx: Trx) => Promise<unknown>))
  }

  const carry =
    operation.extensions?.['x-upstream'] !== undefined
      ? callUpstream
      : operation.extensions?.['x-collected'] === true
        ? collect
        : mutate
  return (request) => carry(request, claimOf(operation, request))
}

const fail = (reply: FastifyReply, error: unknown): void =>
  void reply.send(error instanceof Error ? error : new Error(`What was thrown is not an error: ${inspect(error)}`))

/**
 * Answers that become ready together leave together. To wake up whoever waits for an answer costs more than to make most answers, and a proxy that is awake
 * already takes the next ones without being woken for each.
 */
const sendTogether = atEndOfTurn(({ reply, outcome }: { reply: FastifyReply; outcome: Outcome | ProblemError }) => {
  try {
    send(reply, outcome)
  } catch (error) {
    fail(reply, error)
  }
})

/**
 * Makes the route's handler of an operation from the operation's own. `checkAnswer` tells what is wrong with an answer, where answers are checked.
 * It tells Fastify of its answer by sending it, and not by a promise, which would make Fastify follow the answer in another way as well.
 */
export const createRouteHandler = (
  app: FastifyInstance,
  operation: Operation,
  handler: AnyHandler,
  checkAnswer: CheckAnswer | undefined
) => {
  const run = createRun(app, operation, handler, createFinisher(operation, checkAnswer))
  return (request: FastifyRequest, reply: FastifyReply): void => {
    run(request).then(
      (outcome) => sendTogether({ reply, outcome }),
      (error: unknown) => fail(reply, error)
    )
  }
}
