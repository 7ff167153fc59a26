import fp from 'fastify-plugin'
import type { Trx } from './database/types.ts'
import { newId } from './ids.ts'

export interface NewEvent {
  partnerId: string
  /** Such as `transfer.settled`; the `webhooks` section of the specification describes each. */
  type: string
  data: Record<string, unknown>
}

export interface Outbox {
  /** Writes events in the transaction of what they tell of: none is lost, and none tells of what was rolled back. */
  publish(trx: Trx, events: NewEvent[]): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    outbox: Outbox
  }
}

export default fp(
  (app, _options, done) => {
    app.decorate('outbox', {
      async publish(trx, events) {
        if (events.length === 0) return
        const createdAt = app.clock.now()
        await trx
          .insertInto('events')
          .values(
            events.map(({ partnerId, type, data }) => ({ id: newId('evt'), partner_id: partnerId, type, data: JSON.stringify(data), created_at: createdAt }))
          )
          .execute()
      }
    })
    done()
  },
  { name: 'outbox', dependencies: ['clock', 'database'] }
)
