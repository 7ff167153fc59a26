import { createHash, randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Db } from '../database/types.ts'
import { transact } from '../database/transaction.ts'
import { ProblemError } from '../http/errors/problem.ts'
import type { Call } from './handlers.ts'
import type { IdempotencyClaim } from './idempotency-keys.ts'
import type { createSerialisers, Outcome } from './serialise.ts'
import type { Operation } from './table.ts'
import { createTransaction, type Effect, type RunTransaction } from './transaction.ts'

/** A handler without its compile-time types, which `Handler` in handlers.ts has. */
export type AnyHandler = (call: Call<Operation>) => Promise<unknown>

export type Perform = (request: FastifyRequest, claim: IdempotencyClaim | undefined) => Promise<Outcome | ProblemError>

/** Returns the same key for every retry of a request with an idempotency key, and another key for every other request. */
const onwardKeyOf = (claim: IdempotencyClaim | undefined): string =>
  createHash('sha256')
    .update(claim === undefined ? randomUUID() : `${claim.tenant}\n${claim.targetHash.toString('hex')}\n${claim.key}`)
    .digest('hex')
    .slice(0, 32)

const toCall = (request: FastifyRequest, db: Db, claim?: IdempotencyClaim): Call<Operation> => {
  const { params, query, headers, body, caller } = request
  let onwardKey: string | undefined
  const call = {
    params,
    query,
    headers,
    body,
    caller,
    db,
    request,
    get onwardKey() {
      return (onwardKey ??= onwardKeyOf(claim))
    }
  }
  return call as unknown as Call<Operation>
}

/** Whether the handler first does slow work outside any transaction, and then returns its effect. */
const preparesFirst = ({ extensions }: Operation): boolean =>
  extensions?.['x-upstream'] !== undefined || extensions?.['x-prepares'] === true

const isRead = ({ method, extensions }: Operation): boolean =>
  method === 'GET' || method === 'HEAD' || extensions?.['x-read-only'] === true

/** Performs an operation of one of the three kinds of `Handler`, from the validated request to the response. */
export const createPerform = (
  app: FastifyInstance,
  operation: Operation,
  handler: AnyHandler,
  serialise: ReturnType<typeof createSerialisers>,
  run?: RunTransaction
): Perform => {
  const { db } = app.database
  if (isRead(operation)) {
    return async (request, claim) => {
      const result = await handler(toCall(request, db, claim))
      if (result instanceof ProblemError) return result
      const outcome = await serialise.inTurns(result)
      if (claim !== undefined) {
        await transact(db, async (trx) => app.idempotency.store(trx, claim, outcome.status, outcome.text ?? ''))
      }
      return outcome
    }
  }
  const commit = createTransaction(app, operation, serialise.atOnce, run)
  if (!preparesFirst(operation)) {
    return (request, claim) => commit(request, claim, (trx) => handler(toCall(request, trx, claim)))
  }
  return async (request, claim) => commit(request, claim, (await handler(toCall(request, db, claim))) as Effect)
}
