import { dayOfDate } from './civil-date.ts'

/**
 * One booked or pending movement, with Plaid's sign: `amountCents` is POSITIVE when money leaves the account (a purchase, a bill,
 * a transfer out) and NEGATIVE when it arrives (pay, a refund, a transfer in). Pending movements count on their date like booked ones.
 */
export interface BankTransaction {
  transactionId: string
  accountId: string
  /** YYYY-MM-DD, the date on which the bank shows it. */
  date: string
  /** Whole cents, positive = outflow. */
  amountCents: number
  description: string
  pending: boolean
  category?: string | null
}

export type Direction = 'inflow' | 'outflow'

/** A transaction made ready for arithmetic. */
export interface DatedTransaction extends BankTransaction {
  day: number
  /** One leg of a transfer between two of the person's own accounts. */
  internal: boolean
}

/** Own transfers may take a long weekend between the two banks. */
const INTERNAL_TRANSFER_DAYS = 3

/** Puts transactions up to a day in one well-defined order, whatever order they came in, and marks the internal transfers. */
export function readTransactions(transactions: readonly BankTransaction[], asOfDay: number): DatedTransaction[] {
  const dated: DatedTransaction[] = []
  const dayByDate = new Map<string, number>()
  for (const transaction of transactions) {
    if (!Number.isSafeInteger(transaction.amountCents)) {
      throw new TypeError(`amountCents of ${transaction.transactionId} is not whole cents: ${transaction.amountCents}`)
    }
    const day = dayByDate.get(transaction.date) ?? dayOfDate(transaction.date)
    dayByDate.set(transaction.date, day)
    if (day <= asOfDay) dated.push({ ...transaction, day, internal: false })
  }
  dated.sort((a, b) => a.day - b.day || a.amountCents - b.amountCents || (a.transactionId < b.transactionId ? -1 : 1))
  markInternalTransfers(dated)
  return dated
}

/**
 * Pairs equal and opposite amounts on two different accounts within three days, oldest first. Such a pair moves nothing in or out of
 * the person's hands: it is neither income nor a bill. Working forwards in time keeps past pairs the same when new days arrive.
 */
function markInternalTransfers(ordered: DatedTransaction[]): void {
  const waiting = new Map<number, DatedTransaction[]>()
  for (const transaction of ordered) {
    if (transaction.amountCents === 0) continue
    const opposite = waiting.get(-transaction.amountCents)
    const found =
      opposite?.findIndex(
        (other) => other.accountId !== transaction.accountId && transaction.day - other.day <= INTERNAL_TRANSFER_DAYS
      ) ?? -1
    const partner = opposite?.[found]
    if (opposite && partner) {
      opposite.splice(found, 1)
      partner.internal = transaction.internal = true
      continue
    }
    const same =
      waiting.get(transaction.amountCents)?.filter((other) => transaction.day - other.day <= INTERNAL_TRANSFER_DAYS) ??
      []
    waiting.set(transaction.amountCents, [...same, transaction])
  }
}

export function directionOf(amountCents: number): Direction {
  return amountCents > 0 ? 'outflow' : 'inflow'
}
