import type { FastifyInstance } from 'fastify'
import { checkAuthorization } from '../../../plugins/access/authorization.ts'
import { tenantOf, type Caller } from '../../../plugins/access/caller.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import type { StoredAnswer } from '../../../plugins/operations/idempotency-keys.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { OperationTable } from '../../../plugins/operations/table.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import type { IdempotencyRecord, operations } from '../../../spec/generated/identity.ts'
import { allOperations } from '../../../spec/generated/index.ts'
import { listActivity } from '../queries.ts'

/**
 * A stored answer, for a caller that may call the operation itself: a minted secret, say, must not come to a token that could not mint.
 * @throws ProblemError 403.
 */
const describeAnswer = (stored: StoredAnswer, caller: Caller): IdempotencyRecord => {
  const operation = (allOperations as OperationTable)[stored.operationId]
  if (operation !== undefined) checkAuthorization(operation, caller)
  return {
    status: 'done',
    operationId: stored.operationId,
    responseStatus: stored.status,
    response: stored.text === '' ? null : (JSON.parse(stored.text) as unknown),
    createdAt: stored.createdAt.toISOString(),
    expiresAt: stored.expiresAt.toISOString()
  }
}

type RecordOperations = 'listActivity' | 'getIdempotencyKey'

/** What is kept of requests: the activity log, and what idempotency keys stand for. */
export const recordHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, RecordOperations> => ({
  async listActivity({ query, caller, db }) {
    const found = await listActivity(
      db,
      caller.partnerId,
      readPosition(app.cursors, 'activity', query.cursor),
      query.limit
    )
    const { rows, nextCursor } = pageOf(found, query.limit, (last) => app.cursors.encode('activity', [last.id]))
    const items = rows.map((row) => ({
      id: `act_${row.id}`,
      at: row.at.toISOString(),
      actor: { type: row.actor_type, id: row.actor_id },
      operationId: row.operation_id,
      method: row.method,
      route: row.route,
      resourceId: row.resource_id,
      ip: row.ip,
      requestId: row.request_id
    }))
    return { items, nextCursor }
  },

  async getIdempotencyKey({ params, caller, db }) {
    const tenant = tenantOf(caller)
    const stored = await app.idempotency.find(db, tenant, params.key)
    if (stored !== undefined) return describeAnswer(stored, caller)
    if (await app.idempotency.inFlight(tenant, params.key)) return { status: 'in_flight' }
    // It may have been answered between the two questions.
    const storedMeanwhile = await app.idempotency.find(db, tenant, params.key)
    if (storedMeanwhile !== undefined) return describeAnswer(storedMeanwhile, caller)
    throw notFound('This idempotency key was never seen, or its request failed, or it is older than 24 hours.')
  }
})
