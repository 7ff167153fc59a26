import { readTransactions, type BankTransaction, type Direction } from './bank-transaction.ts'
import { usualPeriodDays, type Cadence } from './cadence.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'
import { mean } from './statistics.ts'
import { expectedDays, findStreams, groupOccurrences, type Stream } from './streams.ts'

/** A recurring flow that has not ended. */
export interface RecurringStream {
  /** The latest description by the bank. */
  description: string
  accountId: string
  direction: Direction
  cadence: Cadence
  /** Typical amount, positive for both directions. */
  amountCents: number
  /** Mean distance of recent amounts from the typical one. */
  amountSpreadCents: number
  /** YYYY-MM-DD, after `asOf`. */
  nextDate: string
  lastDate: string
  /** Mean distance in days between payments and the schedule. */
  dateSpreadDays: number
  transactionIds: string[]
}

/** Describes a stream; undefined when it has ended by that day. */
const describeStream = (stream: Stream, asOfDay: number): RecurringStream | undefined => {
  const [nextDay] = expectedDays(stream, asOfDay, asOfDay + Math.ceil(usualPeriodDays[stream.cadence] * 1.5) + 31)
  const last = stream.transactions.at(-1)
  if (nextDay === undefined || last === undefined) return undefined
  return {
    description: last.description,
    accountId: last.accountId,
    direction: stream.direction,
    cadence: stream.cadence,
    amountCents: Math.abs(stream.amountCents),
    amountSpreadCents: Math.round(stream.amountSpreadCents),
    nextDate: dateOfDay(nextDay),
    lastDate: dateOfDay(stream.lastDay),
    dateSpreadDays: Math.round(mean(stream.offsets.map(Math.abs)) * 10) / 10,
    transactionIds: stream.transactions.map((transaction) => transaction.transactionId)
  }
}

/** Describes the running streams, soonest first, in an order that does not depend on the order of the input. */
export const describeStreams = (streams: readonly Stream[], asOfDay: number): RecurringStream[] =>
  streams
    .flatMap((stream) => describeStream(stream, asOfDay) ?? [])
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
 * account. Ignores later transactions and internal transfers.
 */
export const detectRecurringStreams = (transactions: readonly BankTransaction[], asOf: string): RecurringStream[] => {
  const asOfDay = dayOfDate(asOf)
  return describeStreams(groupOccurrences(readTransactions(transactions, asOfDay)).flatMap(findStreams), asOfDay)
}
