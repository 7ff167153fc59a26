import type { FastifyInstance } from 'fastify'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/webhooks.ts'
import { toEvent } from '../answers.ts'
import { eventLifetimeMs } from '../expiry.ts'
import { readFeed } from '../queries/publishing.ts'

export const eventHandlers = ({ clock }: FastifyInstance): Handlers<Pick<typeof operations, 'listEvents'>> => ({
  async listEvents({ db, caller, query: { after = '0', type, limit = 100 } }) {
    const oldest = new Date(clock.now().getTime() - eventLifetimeMs)
    const rows = await readFeed(db, caller.partnerId, Number(after), type, oldest, limit + 1)
    const page = rows.slice(0, limit)
    return { items: page.map(toEvent), nextCursor: rows.length > limit ? String(page.at(-1)?.sequence) : null }
  }
})
