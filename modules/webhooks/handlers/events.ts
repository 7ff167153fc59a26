import type { FastifyInstance } from 'fastify'
import { viewOfList } from '../../../plugins/access/viewer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { mergeEnvironments } from '../../../plugins/paging/merged.ts'
import { pageOf } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/webhooks.ts'
import { eventRetentionMs } from '../events.ts'
import { compareInFeed, feedPositionAfter, readFeedPosition, sequenceBefore } from '../feed-position.ts'
import { listEvents } from '../queries/events.ts'
import { toEvent } from '../wire.ts'

export const eventHandlers = ({
  clock
}: Pick<FastifyInstance, 'clock'>): Handlers<Pick<typeof operations, 'listEvents'>> => ({
  async listEvents({ db, caller, query: { after = '0', type, limit = 100, environment: wanted } }) {
    const { partnerId, environments } = viewOfList(caller, wanted)
    const position = readFeedPosition(after)
    const oldest = new Date(clock.now().getTime() - eventRetentionMs)
    const found = await mergeEnvironments(
      { environments },
      limit + 1,
      (environment) => {
        const query = { partnerId, environment, after: sequenceBefore(position, environment), type, oldest }
        return listEvents(db, query, limit + 1)
      },
      compareInFeed
    )
    const { rows, nextCursor } = pageOf(found, limit, (last) => feedPositionAfter(last, environments))
    return { items: rows.map(toEvent), nextCursor }
  }
})
