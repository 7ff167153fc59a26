import { ageInDays, scoreOf, type Counters, type Score } from './score.ts'

export const reportTypes = [
  'payment_ontime',
  'payment_late',
  'payment_missed',
  'debt_opened',
  'debt_closed',
  'account_opened',
  'account_closed',
  'dispute'
] as const

export type ReportType = (typeof reportTypes)[number]

/** A report, or a credit account that a furnisher opened or closed. */
export type EventKind = ReportType | 'credit_account_open' | 'credit_account_close'

export interface HistoryEvent {
  kind: EventKind
  /** The reported amount, or the account's limit. */
  amountCents: number | null
  createdAt: Date
}

export const noCounters: Counters = {
  onTime: 0,
  late: 0,
  missed: 0,
  disputes: 0,
  openAccounts: 0,
  openLimitsCents: 0,
  debtClosedCents: 0
}

/** What one event adds to the counters. The stored counters and the replay both add these up. */
export const effectOf = ({ kind, amountCents }: Pick<HistoryEvent, 'kind' | 'amountCents'>): Counters => {
  switch (kind) {
    case 'payment_ontime':
      return { ...noCounters, onTime: 1 }
    case 'payment_late':
      return { ...noCounters, late: 1 }
    case 'payment_missed':
      return { ...noCounters, missed: 1 }
    case 'dispute':
      return { ...noCounters, disputes: 1 }
    case 'debt_closed':
      return { ...noCounters, debtClosedCents: amountCents ?? 0 }
    case 'account_opened':
      return { ...noCounters, openAccounts: 1 }
    case 'credit_account_open':
      return { ...noCounters, openAccounts: 1, openLimitsCents: amountCents ?? 0 }
    case 'credit_account_close':
      return { ...noCounters, openAccounts: -1, openLimitsCents: 0 - (amountCents ?? 0) }
    case 'debt_opened':
    case 'account_closed':
      return noCounters
  }
}

/** `a` plus `sign` times `b`, counter by counter. */
export const combine = (a: Counters, b: Counters, sign: 1 | -1 = 1): Counters => ({
  onTime: a.onTime + sign * b.onTime,
  late: a.late + sign * b.late,
  missed: a.missed + sign * b.missed,
  disputes: a.disputes + sign * b.disputes,
  openAccounts: a.openAccounts + sign * b.openAccounts,
  openLimitsCents: a.openLimitsCents + sign * b.openLimitsCents,
  debtClosedCents: a.debtClosedCents + sign * b.debtClosedCents
})

/** Counts a whole history. */
export const recount = (events: Iterable<Pick<HistoryEvent, 'kind' | 'amountCents'>>): Counters => {
  let counters = noCounters
  for (const event of events) counters = combine(counters, effectOf(event))
  return counters
}

export interface Step<Event> {
  event: Event
  /** The score right after the event, at the event's time. */
  after: Score
  /** The score right before the event, at the same time, so that the difference does not include the account's age. */
  before: Score
}

/** Replays a history, oldest event first. @returns the effect of each event on the score, and the counters at the end */
export const replay = <Event extends HistoryEvent>(
  enrolledAt: Date,
  events: readonly Event[]
): { steps: Step<Event>[]; counters: Counters } => {
  let counters = noCounters
  const steps = events.map((event) => {
    const ageDays = ageInDays(enrolledAt, event.createdAt)
    const before = scoreOf(counters, ageDays)
    counters = combine(counters, effectOf(event))
    return { event, before, after: scoreOf(counters, ageDays) }
  })
  return { steps, counters }
}
