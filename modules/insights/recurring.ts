import { readTransactions, type BankTransaction, type Direction } from './bank-transaction.ts'
import { streamAssumptions } from './assumptions.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { outlookOf } from './expectations.ts'
import { findStreams } from './mixed-streams.ts'
import { groupOccurrences } from './occurrences.ts'
import type { Cadence } from './schedule.ts'
import { mean } from './statistics.ts'
import type { Stream } from './streams.ts'

/** A recurring flow that has not ended. */
export interface RecurringStream {
  /** The latest description by the bank. */
  description: string
  accountId: string
  direction: Direction
  cadence: Cadence
  /** The number of weeks or months between two due days. */
  interval: number
  /** Typical amount, positive for both directions. */
  amountCents: number
  /** Mean distance of recent amounts from the typical one. */
  amountSpreadCents: number
  /** YYYY-MM-DD, after `asOf`. */
  nextDate: string
  /** All expected dates in the next `untilDay - asOfDay` days. */
  expectedDates: string[]
  lastDate: string
  /** How many days the expected payment is overdue; 0 when it is not. */
  lateDays: number
  /** Mean distance in days between payments and the schedule. */
  dateSpreadDays: number
  /** The evidence: the payments, newest last, at most 24. */
  transactionIds: string[]
  assumptions: string[]
}

/** The newest payments of a stream that are named as evidence. */
const maxEvidence = 24

/** Describes a stream; undefined when it has ended by that day. */
const describeStream = (stream: Stream, asOfDay: number, untilDay: number): RecurringStream | undefined => {
  const soonDay = asOfDay + Math.ceil(stream.periodDays * 1.5) + 31
  const { expected, lateDays } = outlookOf(stream, asOfDay, Math.max(soonDay, untilDay))
  const [next] = expected
  const last = stream.transactions.at(-1)
  if (next === undefined || last === undefined) return undefined
  return {
    description: last.description,
    accountId: last.accountId,
    direction: stream.direction,
    cadence: stream.cadence,
    interval: stream.interval,
    amountCents: Math.abs(stream.amountCents),
    amountSpreadCents: Math.round(stream.amountSpreadCents),
    nextDate: dateOfDay(next.day),
    expectedDates: expected.filter(({ day }) => day <= untilDay).map(({ day }) => dateOfDay(day)),
    lastDate: dateOfDay(stream.lastDay),
    lateDays,
    dateSpreadDays: Math.round(mean(stream.offsets.map(Math.abs)) * 10) / 10,
    transactionIds: stream.transactions.slice(-maxEvidence).map((transaction) => transaction.transactionId),
    assumptions: streamAssumptions(stream, lateDays > 0 ? { dueDay: next.dueDay, lateDays } : undefined)
  }
}

/** Describes the running streams, soonest first, in an order that does not depend on the order of the input. */
export const describeStreams = (streams: readonly Stream[], asOfDay: number, untilDay = asOfDay): RecurringStream[] =>
  streams
    .flatMap((stream) => describeStream(stream, asOfDay, untilDay) ?? [])
    .sort(
      (a, b) =>
        compare(a.nextDate, b.nextDate) ||
        compare(a.description, b.description) ||
        compare(a.accountId, b.accountId) ||
        a.amountCents - b.amountCents ||
        compare(a.transactionIds[0] ?? '', b.transactionIds[0] ?? '')
    )

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Finds the recurring inflows and outflows that are running on `asOf` (YYYY-MM-DD). Amounts are positive when money leaves the
 * account. Ignores later transactions and own transfers.
 */
export const detectRecurringStreams = (transactions: readonly BankTransaction[], asOf: string): RecurringStream[] => {
  const asOfDay = dayOfDate(asOf)
  return describeStreams(groupOccurrences(readTransactions(transactions, asOfDay)).flatMap(findStreams), asOfDay)
}
