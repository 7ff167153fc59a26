import { createHash, randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { activityOf, writeActivity } from '../audit.ts'
import { tenantOf, type Caller } from '../auth/caller.ts'
import { transact } from '../database/transaction.ts'
import type { Db, Trx } from '../database/types.ts'
import { idempotencyConflict } from '../errors/kinds.ts'
import { ProblemError } from '../errors/problem.ts'
import { isAnsweredMeanwhile, type IdempotencyClaim, type StoredAnswer } from '../idempotency.ts'
import { Answer } from './answer.ts'
import type { Footprint } from './handlers.ts'
import type { Operation } from './table.ts'

/** A handler as the running server sees it; `Handler` in handlers.ts is the same for the compiler. */
export type AnyHandler = (call: AnyCall) => Promise<unknown>

interface AnyCall {
  params: unknown
  query: unknown
  headers: unknown
  body: unknown
  caller: Caller | null
  db: Db
  onwardKey: string
  request: FastifyRequest
  reply: FastifyReply
  footprint?: Footprint
}

interface Outcome {
  status: number
  headers: Record<string, string>
  /** The serialised body; undefined for an answer without one. */
  text: string | undefined
}

const successes = new WeakMap<Operation, number>()

/** The status of an answer for which the handler names none. */
const successOf = (operation: Operation): number => {
  const known = successes.get(operation)
  if (known !== undefined) return known
  const status = Number(Object.keys(operation.schema.response).find((declared) => declared.startsWith('2') || declared.startsWith('3')) ?? 200)
  successes.set(operation, status)
  return status
}

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
const replayOf = ({ metrics }: FastifyInstance, stored: StoredAnswer, claim: IdempotencyClaim): Outcome | ProblemError => {
  if (stored.operationId !== claim.operationId) {
    return idempotencyConflict('This idempotency key was used for another operation; make a new one for each logical operation.')
  }
  metrics.replayed()
  const sameBody = stored.bodyHash.equals(claim.bodyHash)
  const headers = { 'idempotent-replayed': 'true', ...(sameBody ? {} : { 'idempotency-mismatch': 'body' }) }
  return { status: stored.status, headers, text: stored.text === '' ? undefined : stored.text }
}

const send = (reply: FastifyReply, outcome: Outcome): FastifyReply => {
  reply.code(outcome.status).headers(outcome.headers)
  if (outcome.text === undefined) return reply.send()
  if (reply.getHeader('content-type') === undefined) reply.type('application/json; charset=utf-8')
  return reply.send(outcome.text)
}

const callOf = (request: FastifyRequest, reply: FastifyReply, db: Db, claim: IdempotencyClaim | undefined): AnyCall => {
  let onwardKey: string | undefined
  return {
    params: request.params,
    query: request.query,
    headers: request.headers,
    body: request.body,
    caller: request.caller,
    db,
    // Most operations call nobody, and need no key for it.
    get onwardKey() {
      onwardKey ??= onwardKeyOf(claim)
      return onwardKey
    },
    request,
    reply
  }
}

/** Runs the operations of one application. */
export const createRunner = (app: FastifyInstance, checkAnswer: ((schema: object, body: unknown) => string | undefined) | undefined) => {
  const finish = (operation: Operation, result: unknown, reply: FastifyReply): Outcome => {
    const { status, body, headers } = result instanceof Answer ? (result as Answer<number, unknown>) : { status: successOf(operation), body: result, headers: {} }
    const schema = operation.schema.response[status]
    if (schema === undefined) throw new Error(`${operation.operationId} answered ${status}, which its specification does not have.`)
    if (body === undefined || body === null) return { status, headers, text: undefined }
    if (typeof body === 'string') return { status, headers, text: body }
    const text = reply.serializeInput(body as Record<string, unknown>, String(status)) as string
    // Checked as the client will read it, so that a field that the serialiser drops or invents is seen.
    const fault = checkAnswer?.(schema, JSON.parse(text))
    if (fault !== undefined) throw new Error(`${operation.operationId} answered what its specification does not allow: ${fault}`)
    return { status, headers, text }
  }

  /** The transaction of a mutation: its effect, its activity row, and under an idempotency key its answer. */
  const commit = async (
    operation: Operation,
    request: FastifyRequest,
    reply: FastifyReply,
    claim: IdempotencyClaim | undefined,
    effect: (trx: Trx) => Promise<unknown>
  ): Promise<Outcome | ProblemError> =>
    await transact(app.database.db, async (trx) => {
      const result = await effect(trx)
      if (result instanceof ProblemError) return result
      const outcome = finish(operation, result, reply)
      if (request.caller !== null && request.caller.kind !== 'ingest') {
        await writeActivity(trx, operation, request.caller, request, result instanceof Answer ? result.body : result, app.clock.now())
      }
      if (claim !== undefined) await app.idempotency.store(trx, claim, outcome.status, outcome.text ?? '')
      return outcome
    })

  const mutate = async (operation: Operation, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply, claim: IdempotencyClaim | undefined) => {
    if (operation.extensions?.['x-upstream'] === undefined) {
      return await commit(operation, request, reply, claim, (trx) => handler(callOf(request, reply, trx, claim)))
    }
    const effect = (await handler(callOf(request, reply, app.database.db, claim))) as (trx: Trx) => Promise<unknown>
    return await commit(operation, request, reply, claim, effect)
  }

  /** Holds the key until the outcome is known, and no longer: a client that comes back with its answer in hand must not find the key in use. */
  const once = async (claim: IdempotencyClaim | undefined, work: () => Promise<Outcome | ProblemError>): Promise<Outcome | ProblemError> => {
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

  /** Lets the handler's own statement do all there is to do, and where it declines, runs the effect that the handler then returns. */
  const collected = async (operation: Operation, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply, claim: IdempotencyClaim | undefined) => {
    if (request.caller === null) throw new Error(`${operation.operationId} is carried out for callers alone.`)
    const footprint = { claim, activity: activityOf(operation, request.caller, request, app.clock.now()) }
    const result = await handler(Object.assign(callOf(request, reply, app.database.db, claim), { footprint }))
    if (typeof result !== 'function') return result instanceof ProblemError ? result : finish(operation, result, reply)
    return await once(claim, () => commit(operation, request, reply, claim, result as (trx: Trx) => Promise<unknown>))
  }

  const read = async (operation: Operation, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply): Promise<Outcome | ProblemError> => {
    const result = await handler(callOf(request, reply, app.database.db, undefined))
    return result instanceof ProblemError ? result : finish(operation, result, reply)
  }

  const outcomeOf = async (operation: Operation, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply): Promise<Outcome | ProblemError> => {
    if (operation.method === 'GET' || operation.method === 'HEAD') return await read(operation, handler, request, reply)
    const claim = claimOf(operation, request)
    if (operation.extensions?.['x-collected'] === true) return await collected(operation, handler, request, reply, claim)
    return await once(claim, () => mutate(operation, handler, request, reply, claim))
  }

  return async (operation: Operation, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const outcome = await outcomeOf(operation, handler, request, reply)
    return outcome instanceof ProblemError ? reply.sendProblem(outcome) : send(reply, outcome)
  }
}
