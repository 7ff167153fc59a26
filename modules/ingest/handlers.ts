import type { FastifyInstance } from 'fastify'
import { viewOfList } from '../../plugins/access/viewer.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { invalidFields } from '../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { IngestEvent, IngestReceipt, operations } from '../../spec/generated/ingest.ts'
import { unknownPartner } from './errors.ts'
import { findFaults } from './events.ts'
import { usagePeriod } from './period.ts'
import { readUsage, storeEvents, type UsageEvent } from './queries/usage.ts'
import { toUsage } from './wire.ts'

const readEvent = (event: IngestEvent): UsageEvent => ({
  partnerId: event.partner_id,
  environment: event.environment,
  type: event.event_type,
  userId: event.user_id,
  amountCents: event.amount_cents,
  category: event.category,
  institution: event.institution,
  occurredAt: event.occurred_at,
  eventId: event.event_id
})

const store = async (
  db: Trx,
  events: IngestEvent[],
  now: Date,
  pathOf: (index: number) => string
): Promise<IngestReceipt> => {
  const faults = findFaults(events, pathOf, now)
  if (faults.length > 0) throw invalidFields(faults)
  const { stored, missing } = await storeEvents(db, events.map(readEvent), now)
  if (missing.length > 0) throw unknownPartner(missing)
  return {
    accepted: stored,
    duplicates: events.length - stored,
    partners: [...new Set(events.map((event) => event.partner_id))]
  }
}

export const handlers = ({ clock }: Pick<FastifyInstance, 'clock'>): Handlers<typeof operations> => ({
  async ingestEvent({ db, body }) {
    return await store(db, [body], clock.now(), () => 'body')
  },

  async ingestEvents({ db, body }) {
    return await store(db, body.events, clock.now(), (index) => `body/events/${index}`)
  },

  async pingIngest() {
    return { status: 'ok', time: clock.now().toISOString() }
  },

  async getUsage({ db, query, caller }) {
    const { interval } = query
    const period = usagePeriod(query, interval, clock.now())
    if (Array.isArray(period)) throw invalidFields(period)
    const viewer = viewOfList(caller, query.environment)
    return toUsage(period, interval, await readUsage(db, viewer, interval, period))
  }
})
