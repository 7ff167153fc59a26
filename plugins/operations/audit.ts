import type { FastifyRequest } from 'fastify'
import type { Insertable } from 'kysely'
import { addressOf } from '../access/addresses.ts'
import { actorOf } from '../access/caller.ts'
import { prepared } from '../database/prepared.ts'
import type { ActivityTable } from '../database/tables.ts'
import type { Trx } from '../database/types.ts'
import type { Operation } from './table.ts'

const idMember = /^id$|_id$/

/** The id of the resource that a mutation changed: the last id in its path, else the first id in its response. */
const resourceOf = (request: FastifyRequest, response: unknown): string | null => {
  const fromPath = Object.values((request.params ?? {}) as Record<string, unknown>).at(-1)
  if (typeof fromPath === 'string' || typeof fromPath === 'number') return String(fromPath)
  if (typeof response !== 'object' || response === null) return null
  const [, value] =
    Object.entries(response).find(
      ([name, member]) => idMember.test(name) && ['string', 'number'].includes(typeof member)
    ) ?? []
  return value === undefined ? null : String(value)
}

const insertActivity = prepared<Omit<Insertable<ActivityTable>, 'id'>>()((db, place) =>
  db.insertInto('activity').values({
    partner_id: place('partner_id'),
    at: place('at'),
    actor_type: place('actor_type'),
    actor_id: place('actor_id'),
    operation_id: place('operation_id'),
    method: place('method'),
    route: place('route'),
    resource_id: place('resource_id'),
    ip: place('ip'),
    request_id: place('request_id')
  })
)

/** Writes the activity row of a mutation in the mutation's transaction. Anonymous requests and ingestion have no row. */
export const audit = async (
  trx: Trx,
  operation: Operation,
  request: FastifyRequest,
  response: unknown,
  at: Date
): Promise<void> => {
  const { caller } = request
  if (caller === null || caller.kind === 'ingest') return
  const actor = actorOf(caller)
  await insertActivity.withCommit(trx, {
    partner_id: caller.partnerId,
    at,
    actor_type: actor.type,
    actor_id: actor.id,
    operation_id: operation.operationId,
    method: operation.method,
    route: operation.path,
    resource_id: resourceOf(request, response),
    ip: addressOf(request),
    request_id: request.id
  })
}
