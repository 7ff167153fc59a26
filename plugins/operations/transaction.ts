import type { FastifyInstance, FastifyRequest } from 'fastify'
import { transact } from '../database/transaction.ts'
import type { Trx } from '../database/types.ts'
import { ProblemError } from '../http/errors/problem.ts'
import { Answer } from './answer.ts'
import { audit } from './audit.ts'
import type { IdempotencyClaim } from './idempotency-keys.ts'
import type { Outcome } from './serialise.ts'
import type { Operation } from './table.ts'

/** Runs one unit of work in a transaction. */
export type RunTransaction = <T>(work: (trx: Trx) => Promise<T>) => Promise<T>

export type Effect = (trx: Trx) => Promise<unknown>

/**
 * The transaction of a mutation: its effect, its activity row and, under an idempotency key, its response commit together or not at all.
 * A problem that the effect returns, instead of throwing it, commits the changes.
 */
export const createTransaction = (
  app: FastifyInstance,
  operation: Operation,
  serialise: (result: unknown) => Outcome,
  run: RunTransaction = (work) => transact(app.database.db, work)
) => {
  return async (
    request: FastifyRequest,
    claim: IdempotencyClaim | undefined,
    effect: Effect
  ): Promise<Outcome | ProblemError> =>
    await run(async (trx) => {
      const result = await effect(trx)
      if (result instanceof ProblemError) return result
      const outcome = serialise(result)
      await audit(trx, operation, request, result instanceof Answer ? result.body : result, app.clock.now())
      if (claim !== undefined) await app.idempotency.store(trx, claim, outcome.status, outcome.text ?? '')
      return outcome
    })
}
