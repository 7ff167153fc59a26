import type { FastifyInstance } from 'fastify'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/webhooks.ts'
import { eventRetentionMs } from '../events.ts'
import { listEvents } from '../queries/events.ts'
import { toEvent } from '../wire.ts'

export const eventHandlers = ({
  clock
}: Pick<FastifyInstance, 'clock'>): Handlers<Pick<typeof operations, 'listEvents'>> => ({
  async listEvents({ db, caller, query: { after = '0', type, limit = 100, environment = caller.environment } }) {
    const { partnerId } = caller
    if (!caller.environments.includes(environment)) return { items: [], nextCursor: null }
    const oldest = new Date(clock.now().getTime() - eventRetentionMs)
    const query = { partnerId, environment, after: Number(after), type, oldest }
    const found = await listEvents(db, query, limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => String(last.sequence))
    return { items: rows.map(toEvent), nextCursor }
  }
})
