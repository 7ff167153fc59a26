import type { FastifyRequest } from 'fastify'
import type { Insertable } from 'kysely'
import { actorOf, type Caller } from '../access/caller.ts'
import { prepared } from '../database/prepared.ts'
import type { ActivityTable } from '../database/tables.ts'
import type { Trx } from '../database/types.ts'
import type { Operation } from './table.ts'

const idMember = /^id$|_id$/

/** What a mutation was about: the last identifier in its path, else the first identifier in its answer. */
const resourceOf = (request: FastifyRequest, answer: unknown): string | null => {
  const fromPath = Object.values((request.params ?? {}) as Record<string, unknown>).at(-1)
  if (typeof fromPath === 'string' || typeof fromPath === 'number') return String(fromPath)
  if (typeof answer !== 'object' || answer === null) return null
  const [, value] =
    Object.entries(answer).find(
      ([name, member]) => idMember.test(name) && ['string', 'number'].includes(typeof member)
    ) ?? []
  return value === undefined ? null : String(value)
}

/** What the activity log keeps of a mutation before anything is known of its outcome. */
export type Activity = Omit<Insertable<ActivityTable>, 'id' | 'resource_id'>

export const activityOf = (operation: Operation, caller: Caller, request: FastifyRequest, at: Date): Activity => {
  const actor = actorOf(caller)
  return {
    partner_id: 'partnerId' in caller ? caller.partnerId : null,
    at,
    actor_type: actor.type,
    actor_id: actor.id,
    operation_id: operation.operationId,
    method: operation.method,
    route: operation.path,
    ip: request.ip,
    request_id: request.id
  }
}

const insertActivity = prepared<Omit<Insertable<ActivityTable>, 'id'>>()(
  (db, place) =>
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
    }),
  { withCommit: true }
)

/** Writes the activity row of a mutation in the mutation's own transaction. */
export const writeActivity = async (
  trx: Trx,
  operation: Operation,
  caller: Caller,
  request: FastifyRequest,
  answer: unknown,
  at: Date
): Promise<void> => {
  await insertActivity(trx, { ...activityOf(operation, caller, request, at), resource_id: resourceOf(request, answer) })
}
