import { ageInDays, scoreOf, type Counters, type Score } from './score.ts'
import { exclusionOf, type EventState } from './states.ts'

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
  state: EventState
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

/** The kinds whose amounts add to a counter. */
export const summedKinds: readonly EventKind[] = ['debt_closed', 'credit_account_open', 'credit_account_close']

/**
 * What an event adds to the counters while it counts. The stored counters and the replay both add these up.
 * @param times of several events of one kind, of which `amountCents` is the sum
 */
export const effectOf = ({ kind, amountCents }: Pick<HistoryEvent, 'kind' | 'amountCents'>, times = 1): Counters => {
  switch (kind) {
    case 'payment_ontime':
      return { ...noCounters, onTime: times }
    case 'payment_late':
      return { ...noCounters, late: times }
    case 'payment_missed':
      return { ...noCounters, missed: times }
    case 'dispute':
      return { ...noCounters, disputes: times }
    case 'debt_closed':
      return { ...noCounters, debtClosedCents: amountCents ?? 0 }
    case 'account_opened':
      return { ...noCounters, openAccounts: times }
    case 'credit_account_open':
      return { ...noCounters, openAccounts: times, openLimitsCents: amountCents ?? 0 }
    case 'credit_account_close':
      return { ...noCounters, openAccounts: 0 - times, openLimitsCents: 0 - (amountCents ?? 0) }
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

type Countable = Pick<HistoryEvent, 'kind' | 'amountCents' | 'state'>

/** What an event adds to the counters in its present state. */
const countedEffectOf = (event: Countable): Counters =>
  exclusionOf(event.state) === null ? effectOf(event) : noCounters

/** Counts a whole history. */
export const recount = (events: Iterable<Countable>): Counters => {
  let counters = noCounters
  for (const event of events) counters = combine(counters, countedEffectOf(event))
  return counters
}

export interface Step<Event> {
  event: Event
  /** The score right after the event, at the event's time. */
  after: Score
  /** The score right before the event, at the same time, so that the difference does not include the account's age. */
  before: Score
}

/** Replays a history, oldest event first. Events that do not count at present have no effect. @returns the effect of each event on the score, and the counters at the end */
export const replay = <Event extends HistoryEvent>(
  enrolledAt: Date,
  events: readonly Event[]
): { steps: Step<Event>[]; counters: Counters } => {
  let counters = noCounters
  const steps = events.map((event) => {
    const ageDays = ageInDays(enrolledAt, event.createdAt)
    const before = scoreOf(counters, ageDays)
    counters = combine(counters, countedEffectOf(event))
    return { event, before, after: scoreOf(counters, ageDays) }
  })
  return { steps, counters }
}
