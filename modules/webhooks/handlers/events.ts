import type { FastifyInstance } from 'fastify'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/webhooks.ts'
import { toEvent } from '../answers.ts'
import { eventLifetimeMs } from '../expiry.ts'
import { readFeed } from '../queries/publishing.ts'

export const eventHandlers = ({ clock }: FastifyInstance): Handlers<Pick<typeof operations, 'listEvents'>> => ({
  async listEvents({ db, caller, query: { after = '0', type, limit = 100 } }) {
    const oldest = new Date(clock.now().getTime() - eventLifetimeMs)
    const found = await readFeed(db, caller.partnerId, Number(after), type, oldest, limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => String(last.sequence))
    return { items: rows.map(toEvent), nextCursor }
  }
})
