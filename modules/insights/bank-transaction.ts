import type { PresentTransaction } from '../linking/index.ts'
import { dayOfDate } from './civil-date.ts'
import { markOwnTransfers } from './own-transfers.ts'

/**
 * A booked or pending transaction with Plaid's sign: `amountCents` is positive when money leaves the account and negative when it
 * arrives.
 */
export interface BankTransaction {
  transactionId: string
  accountId: string
  /** YYYY-MM-DD, the date on which the bank shows it. */
  date: string
  /** Whole minor units, positive = outflow. */
  amountCents: number
  description: string
  /** The bank's own text, when `description` is the merchant's name. */
  bankText?: string
  pending: boolean
  category?: string | null
}

/** Reads a stored transaction, whose amount has the same sign. */
export const toBankTransaction = ({ id, name, merchantName, ...transaction }: PresentTransaction): BankTransaction => ({
  ...transaction,
  transactionId: id,
  description: merchantName ?? name,
  ...(merchantName === null ? {} : { bankText: name })
})

export type Direction = 'inflow' | 'outflow'

/** A transaction with a day number. */
export interface DatedTransaction extends BankTransaction {
  day: number
  /** One side of a transfer between two accounts of the same end-user. */
  internal: boolean
}

/** Sorts the transactions up to a day deterministically, and marks the end-user's own transfers. */
export const readTransactions = (transactions: readonly BankTransaction[], untilDay: number): DatedTransaction[] => {
  const dated: DatedTransaction[] = []
  const dayByDate = new Map<string, number>()
  for (const transaction of transactions) {
    if (!Number.isSafeInteger(transaction.amountCents)) {
      throw new TypeError(`amountCents of ${transaction.transactionId} is not an integer: ${transaction.amountCents}`)
    }
    const day = dayByDate.get(transaction.date) ?? dayOfDate(transaction.date)
    dayByDate.set(transaction.date, day)
    if (day <= untilDay) dated.push({ ...transaction, day, internal: false })
  }
  dated.sort((a, b) => a.day - b.day || a.amountCents - b.amountCents || (a.transactionId < b.transactionId ? -1 : 1))
  markOwnTransfers(dated)
  return dated
}

export const directionOf = (amountCents: number): Direction => (amountCents > 0 ? 'outflow' : 'inflow')
