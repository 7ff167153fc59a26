import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { keyOwnerOf } from '../access/caller.ts'
import { idempotencyConflict, idempotencyInFlight } from '../http/errors/kinds.ts'
import { ProblemError } from '../http/errors/problem.ts'
import { isAnsweredMeanwhile, type IdempotencyClaim, type StoredAnswer } from './idempotency-keys.ts'
import type { Outcome } from './serialise.ts'
import type { Operation } from './table.ts'

type Result = Outcome | ProblemError

const sha256 = (content: Buffer | string): Buffer => createHash('sha256').update(content).digest()

const sorted = (parameters: unknown): [string, unknown][] =>
  Object.entries(parameters ?? {}).sort(([name], [other]) => (name < other ? -1 : 1))

/** Identifies what a request acts on, apart from its body: the operation and the resource that its path and query name. */
export const targetHashOf = (operationId: string, params: unknown, query: unknown): Buffer =>
  sha256(JSON.stringify([operationId, sorted(params), sorted(query)]))

const claimOf = (operation: Operation, request: FastifyRequest): IdempotencyClaim | undefined => {
  const key = request.headers['idempotency-key']
  if (!operation.idempotent || request.caller === null || typeof key !== 'string') return undefined
  const { operationId } = operation
  return {
    ...keyOwnerOf(request.caller),
    key,
    operationId,
    targetHash: targetHashOf(operationId, request.params, request.query),
    bodyHash: sha256(request.rawBody ?? '')
  }
}

/** Replays the first response, and marks it when this request's body differs. */
const replayOf = ({ metrics }: FastifyInstance, stored: StoredAnswer, claim: IdempotencyClaim): Result => {
  if (!claim.targetHash.equals(stored.targetHash)) {
    const other = stored.operationId === claim.operationId ? 'another resource' : 'another operation'
    return idempotencyConflict(`This idempotency key was used for ${other}. Use a new key for each logical operation.`)
  }
  metrics.replayed()
  const isSameBody = claim.bodyHash.equals(stored.bodyHash)
  const headers = { 'idempotent-replayed': 'true', ...(isSameBody ? {} : { 'idempotency-mismatch': 'body' }) }
  return { status: stored.status, headers, text: stored.text === '' ? undefined : stored.text }
}

/**
 * Performs a request once per idempotency key: a key with a response replays it, and a key whose first request is still running is rejected.
 * The key of a failed request is released before the response is sent, so that a client that has the response can use the key again. A stored response
 * is replayed whether or not the key is still held.
 */
export const createIdempotency = (
  app: FastifyInstance,
  operation: Operation,
  perform: (request: FastifyRequest, claim: IdempotencyClaim | undefined) => Promise<Result>
) => {
  const performHolding = async (request: FastifyRequest, claim: IdempotencyClaim): Promise<Result> => {
    const find = () => app.idempotency.find(claim.tenant, claim.key)
    // Both at once: an effect whose key was stored in between fails to store it again, and replays below.
    const finding = find()
    finding.catch(() => undefined)
    const release = await app.idempotency.hold(claim.tenant, claim.key)
    let isStored = false
    try {
      const stored = await finding
      if (stored !== undefined) return replayOf(app, stored, claim)
      if (release === undefined) {
        throw idempotencyInFlight(
          'The first request with this key is still running. Retry in 1 second.',
          {},
          { 'retry-after': '1' }
        )
      }
      const result = await perform(request, claim)
      isStored = !(result instanceof ProblemError)
      return result
    } catch (error) {
      if (!isAnsweredMeanwhile(error)) throw error
      const meanwhile = await find()
      if (meanwhile === undefined) throw error
      return replayOf(app, meanwhile, claim)
    } finally {
      const released = release?.()
      if (!isStored) await released
    }
  }
  return async (request: FastifyRequest): Promise<Result> => {
    const claim = claimOf(operation, request)
    return await (claim === undefined ? perform(request, claim) : performHolding(request, claim))
  }
}
