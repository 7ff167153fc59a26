import type { FastifyRequest } from 'fastify'
import { sql, type Insertable } from 'kysely'
import { addressOf } from '../access/addresses.ts'
import { actorOf, type Environment } from '../access/caller.ts'
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

/**
 * The environment of a change: that of the credential. A session can change resources of both, and agents' credits have none; their changes are in the
 * environment of the partner, which null stands for, so that test credentials of a partner in production do not see them.
 */
const environmentOf = ({ caller }: FastifyRequest): Environment | null =>
  caller?.kind === 'partner_key' || caller?.kind === 'token' ? caller.environment : null

type NewActivity = Omit<Insertable<ActivityTable>, 'id' | 'environment'> & { environment: Environment | null }

const insertActivity = prepared<NewActivity>()((db, place) =>
  db.insertInto('activity').values({
    partner_id: place('partner_id'),
    environment: sql`coalesce(${place('environment')}::text, partner_environment(${place('partner_id')}::text))`,
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
    environment: environmentOf(request),
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
