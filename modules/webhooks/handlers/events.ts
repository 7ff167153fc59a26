import type { FastifyInstance } from 'fastify'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf } from '../../../plugins/paging/pages.ts'
import {
  EventSubscription as subscriptions,
  type EventSubscription,
  type operations
} from '../../../spec/generated/webhooks.ts'
import { eventRetentionMs } from '../events.ts'
import { isCovered } from '../subscriptions.ts'
import { listEvents } from '../queries/events.ts'
import { toEvent } from '../wire.ts'

/** The types that a subscription covers; undefined for all. */
const typesOf = (subscription: EventSubscription | undefined): readonly string[] | undefined => {
  if (subscription === undefined || subscription === '*') return undefined
  const types = (subscriptions['enum'] as readonly string[]).filter((type) => !type.endsWith('*'))
  return types.filter((type) => isCovered(type, subscription))
}

export const eventHandlers = ({
  clock
}: Pick<FastifyInstance, 'clock'>): Handlers<Pick<typeof operations, 'listEvents'>> => ({
  async listEvents({ db, caller, query: { after = '0', type, limit = 100, environment = caller.environment } }) {
    const { partnerId } = caller
    if (!caller.environments.includes(environment)) return { items: [], nextCursor: null }
    const oldest = new Date(clock.now().getTime() - eventRetentionMs)
    const query = { partnerId, environment, after: Number(after), types: typesOf(type), oldest }
    const found = await listEvents(db, query, limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => String(last.sequence))
    return { items: rows.map(toEvent), nextCursor }
  }
})
