import fp from 'fastify-plugin'
import { sql } from 'kysely'
import { prepared } from '../database/prepared.ts'
import { afterCommit } from '../database/transaction.ts'
import { stringifyStorable } from '../database/storable-json.ts'
import type { Environment } from '../access/caller.ts'
import type { Trx } from '../database/types.ts'
import { newId } from '../ids.ts'

interface EventOfPartner<Type extends string> {
  partnerId: string
  /** For example `transfer.settled`; the `webhooks` section of the specification lists all types. */
  type: Type
  data: Record<string, unknown>
}

/** An event of a resource that belongs to an environment. */
interface EventOfEnvironment extends EventOfPartner<string> {
  environment: Environment
}

/** Credits have no environment, so their events are in that of the partner; see the SQL function `partner_environment`. */
interface EventOfCredits extends EventOfPartner<`${'agent' | 'bureau' | 'loan'}.${string}`> {
  environment?: undefined
}

export type NewEvent = EventOfEnvironment | EventOfCredits

/** Delivers events from the outbox to their consumers. */
export interface Carrier {
  /** Called after a commit that may have written events. Returns immediately and never throws. */
  wake(): void
  /** Resolves when this instance has nothing left to do now. */
  settle(): Promise<void>
}

export interface Outbox {
  /**
   * Writes events in the transaction that causes them. They are sent together with the commit, so later statements cannot see them.
   * @returns their ids in the given order.
   */
  publish(trx: Trx, events: NewEvent[]): Promise<string[]>
  /** Writes one event immediately, for callers that need its row later in the transaction. @returns its id. */
  publishAtOnce(trx: Trx, event: NewEvent): Promise<string>
  /** Sets the carrier. */
  carriedBy(carrier: Carrier): void
  /** Resolves when every committed event is published and every due delivery was attempted; for tests. */
  settle(): Promise<void>
}

interface EventRows {
  ids: string[]
  partnerIds: string[]
  /** Null for that of the partner. */
  environments: (Environment | null)[]
  types: string[]
  /** As JSON. */
  data: string[]
  createdAt: Date
}

const insertEvents = prepared<EventRows>()(
  (_db, place) => sql`
  insert into events (id, partner_id, environment, type, data, created_at)
  select id, partner_id, coalesce(environment, partner_environment(partner_id)), type, data::jsonb, ${place('createdAt')}::timestamptz
  from unnest(${place('ids')}::text[], ${place('partnerIds')}::text[], ${place('environments')}::text[], ${place('types')}::text[], ${place('data')}::text[])
    with ordinality as event (id, partner_id, environment, type, data, ordinal)
  order by ordinal`
)

declare module 'fastify' {
  interface FastifyInstance {
    outbox: Outbox
  }
}

export default fp(
  async (app) => {
    let carrier: Carrier | undefined
    // The same function object for every event, so that a transaction wakes the carrier once.
    const wake = (): void => carrier?.wake()
    const rowsOf = (events: NewEvent[]): EventRows => ({
      ids: events.map(() => newId('evt')),
      partnerIds: events.map(({ partnerId }) => partnerId),
      environments: events.map(({ environment = null }) => environment),
      types: events.map(({ type }) => type),
      data: events.map(({ data }) => stringifyStorable(data)),
      createdAt: app.clock.now()
    })
    app.metrics.gauge(
      {
        name: 'atlas_events_unpublished_age_seconds',
        help: 'Age of the oldest unpublished event; 0 when there is none.'
      },
      async () => {
        // Materialized, because PostgreSQL would otherwise look for the minimum among all events by their age.
        const { rows } = await sql<{ oldest: Date | null }>`
          with unpublished as materialized (select created_at from events where published_at is null)
          select min(created_at) as oldest from unpublished`.execute(app.database.db)
        const oldest = rows[0]?.oldest ?? null
        return oldest === null ? 0 : Math.max(0, app.clock.now().getTime() - oldest.getTime()) / 1000
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
      carriedBy(given) {
        carrier = given
      },
      async settle() {
        await carrier?.settle()
      }
    })
  },
  { name: 'outbox', dependencies: ['clock', 'database', 'metrics'] }
)
