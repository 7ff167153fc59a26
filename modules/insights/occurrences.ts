import { directionOf, type DatedTransaction } from './bank-transaction.ts'
import { merchantName } from './merchant-name.ts'
import { median, medianDeviation } from './statistics.ts'

/** All transactions with one merchant on one day. */
export interface Occurrence {
  day: number
  amountCents: number
  transactions: DatedTransaction[]
}

/** Joins the day-ordered transactions of each day. */
export const occurrencesOf = (group: readonly DatedTransaction[]): Occurrence[] => {
  const occurrences: Occurrence[] = []
  for (const transaction of group) {
    const last = occurrences.at(-1)
    if (last?.day === transaction.day) {
      last.amountCents += transaction.amountCents
      last.transactions.push(transaction)
    } else occurrences.push({ day: transaction.day, amountCents: transaction.amountCents, transactions: [transaction] })
  }
  return occurrences
}

/** Groups occurrences that could be streams, by account, direction and merchant, without own transfers. */
export const groupOccurrences = (ordered: readonly DatedTransaction[]): Occurrence[][] => {
  const names = new Map<string, string>()
  const groups = new Map<string, DatedTransaction[]>()
  for (const transaction of ordered) {
    if (transaction.internal || transaction.amountCents === 0) continue
    const name = names.get(transaction.description) ?? merchantName(transaction.description)
    names.set(transaction.description, name)
    const key = `${transaction.accountId}\n${directionOf(transaction.amountCents)}\n${name}`
    const group = groups.get(key)
    if (group) group.push(transaction)
    else groups.set(key, [transaction])
  }
  return [...groups.values()].map(occurrencesOf)
}

/** The relative median deviation of the amounts. */
export const scatter = (occurrences: readonly Occurrence[]): number => {
  const amounts = occurrences.map((occurrence) => occurrence.amountCents)
  return medianDeviation(amounts) / Math.max(1, Math.abs(median(amounts)))
}
