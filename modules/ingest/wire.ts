import type * as wire from '../../spec/generated/ingest.ts'
import { startsOf, type Period, type UsageInterval } from './period.ts'
import type { Counts, UsageSums } from './queries/usage.ts'

const zero: Counts = { userSignups: 0, accountLinks: 0, transactions: 0, volumeCents: 0 }

const toCounts = ({ userSignups, accountLinks, transactions, volumeCents }: Counts) => ({
  user_signups: userSignups,
  account_links: accountLinks,
  transactions,
  volume_cents: volumeCents
})

const add = (a: Counts, b: Counts): Counts => ({
  userSignups: a.userSignups + b.userSignups,
  accountLinks: a.accountLinks + b.accountLinks,
  transactions: a.transactions + b.transactions,
  volumeCents: a.volumeCents + b.volumeCents
})

/** Intervals without events appear with zeros. */
export const toUsage = (period: Period, interval: UsageInterval, sums: UsageSums): wire.Usage => {
  const byStart = new Map(sums.intervals.map((one) => [Date.parse(one.start), one]))
  return {
    from: period.start.toISOString(),
    to: period.end.toISOString(),
    interval,
    totals: { ...toCounts(sums.intervals.reduce(add, zero)), active_users: sums.activeUsers },
    intervals: startsOf(period, interval).map((start) => {
      const one = byStart.get(start.getTime())
      return { ...toCounts(one ?? zero), active_users: one?.activeUsers ?? 0, start: start.toISOString() }
    }),
    by_category: sums.byCategory.map(({ category, transactions, volumeCents }) => ({
      category,
      transactions,
      volume_cents: volumeCents
    })),
    by_institution: sums.byInstitution.map(({ institution, accountLinks }) => ({
      institution,
      account_links: accountLinks
    }))
  }
}
