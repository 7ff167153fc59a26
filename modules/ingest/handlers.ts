import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import type { FieldError } from '../../plugins/http/errors/validation.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/ingest.ts'
import { unknownPartner } from './errors.ts'
import { findFaults } from './events.ts'
import { startsOf, usagePeriod } from './period.ts'
import { readUsage, storeEvents, type IntervalSums, type UsageEvent } from './queries.ts'

const refuse = (errors: FieldError[]) =>
  validationFailed(
    `The request has ${errors.length} invalid field${errors.length === 1 ? '' : 's'}: ${errors.map(({ path }) => path).join(', ')}.`,
    { errors }
  )

const firstOf = (ids: string[]): string =>
  `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ` and ${ids.length - 3} more` : ''}`

const noSums = { user_signups: 0, account_links: 0, transactions: 0, volume_cents: 0, active_users: 0 }

const addUp = (intervals: Omit<IntervalSums, 'start'>[]) =>
  intervals.reduce(
    (total, interval) => ({
      user_signups: total.user_signups + interval.user_signups,
      account_links: total.account_links + interval.account_links,
      transactions: total.transactions + interval.transactions,
      volume_cents: total.volume_cents + interval.volume_cents
    }),
    { user_signups: 0, account_links: 0, transactions: 0, volume_cents: 0 }
  )

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  const accept = async (db: Trx, events: UsageEvent[], pathOf: (index: number) => string) => {
    const now = app.clock.now()
    const faults = findFaults(events, pathOf, now)
    if (faults.length > 0) throw refuse(faults)
    const { stored, missing } = await storeEvents(db, events, now)
    if (missing.length > 0)
      throw unknownPartner(`There is no partner with the id ${firstOf(missing)}. Nothing was stored.`, { missing })
    return {
      accepted: stored,
      duplicates: events.length - stored,
      partners: [...new Set(events.map((event) => event.partner_id))]
    }
  }

  return {
    async ingestEvent({ db, body }) {
      return await accept(db, [body], () => 'body')
    },

    async ingestEvents({ db, body }) {
      return await accept(db, body.events, (index) => `body/events/${index}`)
    },

    async pingIngest() {
      return { status: 'ok', time: app.clock.now().toISOString() }
    },

    async getUsage({ db, query, caller }) {
      const { interval } = query
      const period = usagePeriod(query, interval, app.clock.now())
      if (Array.isArray(period)) throw refuse(period)
      const sums = await readUsage(db, caller.partnerId, interval, period.start, period.end)
      const byStart = new Map(sums.intervals.map((row) => [Date.parse(row.start), row]))
      return {
        from: period.start.toISOString(),
        to: period.end.toISOString(),
        interval,
        totals: { ...addUp(sums.intervals), active_users: sums.active_users },
        intervals: startsOf(period, interval).map((start) => ({
          ...noSums,
          ...byStart.get(start.getTime()),
          start: start.toISOString()
        })),
        by_category: sums.by_category,
        by_institution: sums.by_institution
      }
    }
  }
}
