import fp from 'fastify-plugin'
import { sql, type RawBuilder } from 'kysely'
import { prepared } from '../database/prepared.ts'
import { afterCommit } from '../database/transaction.ts'
import { stringifyStorable } from '../database/storable-json.ts'
import type { Db, Trx } from '../database/types.ts'
import { newId } from '../ids.ts'

export interface NewEvent {
  partnerId: string
  /** Such as `transfer.settled`; the `webhooks` section of the specification describes each. */
  type: string
  data: Record<string, unknown>
}

/** What carries events from the outbox to their consumers. */
export interface Carrier {
  /** There may be new events; called after their commit. It returns at once and does not throw. */
  wake(): void
  /** Resolves when nothing is left that this instance could do at this moment. */
  settle(): Promise<void>
}

export interface Outbox {
  /**
   * Writes events in the transaction of what they tell of, as some of its last words: none is lost, and none tells of what was rolled back.
   * @returns their ids, in the order given.
   */
  publish(trx: Trx, events: NewEvent[]): Promise<string[]>
  /** Writes one event before the transaction's next statement, for callers that need its id later in the transaction. @returns its id. */
  publishAtOnce(trx: Trx, event: NewEvent): Promise<string>
  /** There may be new events, which a statement of its own has written and committed. */
  wake(): void
  /** Sets who carries the events. */
  carriedBy(carrier: Carrier): void
  /** Resolves when every committed event has its sequence and every delivery that is due has been tried; for tests that turn the clock. */
  settle(): Promise<void>
}

interface EventRows {
  ids: string[]
  partnerIds: string[]
  types: string[]
  /** As JSON. */
  data: string[]
  createdAt: Date
}

type Place = <Name extends keyof EventRows>(name: Name) => RawBuilder<EventRows[Name]>

const insert = (_db: Db, place: Place) => sql`
  insert into events (id, partner_id, type, data, created_at)
  select id, partner_id, type, data::jsonb, ${place('createdAt')}::timestamptz
  from unnest(${place('ids')}::text[], ${place('partnerIds')}::text[], ${place('types')}::text[], ${place('data')}::text[]) with ordinality as event (id, partner_id, type, data, ordinal)
  order by ordinal`

const insertEvents = prepared<EventRows>()(insert)

declare module 'fastify' {
  interface FastifyInstance {
    outbox: Outbox
  }
}

export default fp(
  (app, _options, done) => {
    let carrier: Carrier | undefined
    // One function object, so that a transaction with many events wakes the carrier once.
    const wake = (): void => carrier?.wake()
    const rowsOf = (events: NewEvent[]): EventRows => ({
      ids: events.map(() => newId('evt')),
      partnerIds: events.map(({ partnerId }) => partnerId),
      types: events.map(({ type }) => type),
      data: events.map(({ data }) => stringifyStorable(data)),
      createdAt: app.clock.now()
    })
    app.metrics.gauge(
      {
        name: 'atlas_events_unpublished_age_seconds',
        help: 'Age of the oldest event that waits to be published; 0 when none does.'
      },
      async () => {
        const { db } = app.database
        const oldest = await db
          .selectFrom('events')
          .select('created_at')
          .where('published_at', 'is', null)
          .orderBy('position')
          .limit(1)
          .executeTakeFirst()
        return oldest === undefined ? 0 : Math.max(0, app.clock.now().getTime() - oldest.created_at.getTime()) / 1000
      }
    )
    app.decorate('outbox', {
      async publish(trx, events) {
        if (events.length === 0) return []
        const rows = rowsOf(events)
        await insertEvents.withCommit(trx, rows)
        afterCommit(trx, wake)
        return rows.ids
      },
      async publishAtOnce(trx, event) {
        const rows = rowsOf([event])
        await insertEvents(trx, rows)
        afterCommit(trx, wake)
        return rows.ids[0] as string
      },
      wake,
      carriedBy(given) {
        carrier = given
      },
      async settle() {
        await carrier?.settle()
      }
    })
    done()
  },
  { name: 'outbox', dependencies: ['clock', 'database', 'metrics'] }
)
