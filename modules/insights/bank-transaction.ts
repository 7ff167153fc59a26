import type { PresentTransaction } from '../linking/index.ts'
import { dayOfDate } from './civil-date.ts'

/**
 * A booked or pending transaction with Plaid's sign: `amountCents` is positive when money leaves the account and negative when it
 * arrives. Pending transactions count like booked ones.
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

/** Reads a stored transaction, whose amount has the same sign. */
export const toBankTransaction = ({ id, name, merchantName, ...transaction }: PresentTransaction): BankTransaction => ({
  ...transaction,
  transactionId: id,
  description: merchantName ?? name
})

export type Direction = 'inflow' | 'outflow'

/** A transaction with a day number. */
export interface DatedTransaction extends BankTransaction {
  day: number
  /** One side of a transfer between two accounts of the same end-user. */
  internal: boolean
}

/** A transfer between banks can take a long weekend. */
const internalTransferDays = 3

/** Sorts the transactions up to a day deterministically, and marks internal transfers. */
export const readTransactions = (transactions: readonly BankTransaction[], asOfDay: number): DatedTransaction[] => {
  const dated: DatedTransaction[] = []
  const dayByDate = new Map<string, number>()
  for (const transaction of transactions) {
    if (!Number.isSafeInteger(transaction.amountCents)) {
      throw new TypeError(`amountCents of ${transaction.transactionId} is not an integer: ${transaction.amountCents}`)
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
 * Pairs equal and opposite amounts on different accounts within three days, oldest first. Such a pair is neither income nor a bill.
 * Working forwards in time keeps old pairs stable when new transactions arrive.
 */
const markInternalTransfers = (ordered: DatedTransaction[]): void => {
  const waiting = new Map<number, DatedTransaction[]>()
  for (const transaction of ordered) {
    if (transaction.amountCents === 0) continue
    const opposite = waiting.get(-transaction.amountCents)
    const found =
      opposite?.findIndex(
        (other) => other.accountId !== transaction.accountId && transaction.day - other.day <= internalTransferDays
      ) ?? -1
    const partner = opposite?.[found]
    if (opposite && partner) {
      opposite.splice(found, 1)
      partner.internal = transaction.internal = true
      continue
    }
    const same =
      waiting.get(transaction.amountCents)?.filter((other) => transaction.day - other.day <= internalTransferDays) ?? []
    waiting.set(transaction.amountCents, [...same, transaction])
  }
}

export const directionOf = (amountCents: number): Direction => (amountCents > 0 ? 'outflow' : 'inflow')
