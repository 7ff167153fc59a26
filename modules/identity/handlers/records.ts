import type { FastifyInstance } from 'fastify'
import { checkAuthorization } from '../../../plugins/access/authorization.ts'
import { readableKeyOwners, type Caller } from '../../../plugins/access/caller.ts'
import { viewOfList } from '../../../plugins/access/viewer.ts'
import { invalidFields, notFound } from '../../../plugins/http/errors/kinds.ts'
import type { StoredAnswer } from '../../../plugins/operations/idempotency-keys.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { OperationTable } from '../../../plugins/operations/table.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
import { pageOf, readTimePosition } from '../../../plugins/paging/pages.ts'
import { readTimeRange } from '../../../plugins/time-range.ts'
import type { operations } from '../../../spec/generated/identity.ts'
import { allOperations } from '../../../spec/generated/index.ts'
import { listActivity } from '../queries/activity.ts'
import { toActivity, toIdempotencyRecord } from '../wire.ts'

/**
 * Requires that the caller may call the operation itself: a token that cannot mint secrets must not read the response of a request that did.
 * @throws ProblemError 403.
 */
const requireAuthorized = (stored: StoredAnswer, caller: Caller): void => {
  const operation = (allOperations as OperationTable)[stored.operationId]
  if (operation !== undefined) checkAuthorization(operation, caller)
}

/** Finds the stored response of the first tenant that has one under this key. */
const findFirst = async (
  idempotency: FastifyInstance['idempotency'],
  tenants: string[],
  key: string
): Promise<StoredAnswer | undefined> => {
  for (const tenant of tenants) {
    const stored = await idempotency.find(tenant, key)
    if (stored !== undefined) return stored
  }
  return undefined
}

/** Records of past requests: the activity log and stored responses of idempotency keys. */
export const recordHandlers = ({
  cursors,
  idempotency
}: Pick<FastifyInstance, 'cursors' | 'idempotency'>): Handlers<
  Pick<typeof operations, 'listActivity' | 'getIdempotencyKey'>
> => ({
  async listActivity({ query: { limit, cursor, ...filters }, caller, db }) {
    const { actor: actorId, operation: operationId, environment } = filters
    if (operationId !== undefined && !Object.hasOwn(allOperations, operationId))
      throw invalidFields([{ path: 'query/operation', message: 'must be an operationId of this API' }])
    const list = filteredList('activity', filters)
    const position = readTimePosition(cursors, list, cursor)
    const after = position && { at: position.at, id: Number(position.id) }
    const filter = { actorId, operationId, ...readTimeRange(filters) }
    const found = await listActivity(db, viewOfList(caller, environment), filter, after, limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, ({ at, id }) => cursors.encode(list, [at.getTime(), id]))
    return { items: rows.map(toActivity), nextCursor }
  },

  async getIdempotencyKey({ params: { key }, query, caller }) {
    const owners = readableKeyOwners(caller)
    const tenants = owners
      .filter(({ environment }) => query.environment === undefined || environment === query.environment)
      .map(({ tenant }) => tenant)
    let stored = await findFirst(idempotency, tenants, key)
    if (stored === undefined) {
      for (const tenant of tenants) if (await idempotency.inFlight(tenant, key)) return { status: 'in_flight' }
      // The request may have completed between the two lookups.
      stored = await findFirst(idempotency, tenants, key)
    }
    if (stored === undefined)
      throw notFound('This idempotency key is unknown, its request failed, or it is older than 24 hours.')
    requireAuthorized(stored, caller)
    return toIdempotencyRecord(stored)
  }
})
