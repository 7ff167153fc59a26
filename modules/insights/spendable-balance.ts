import type { BankTransaction } from './bank-transaction.ts'

/** The balances of an account in minor units, as its bank reports them. */
export interface AccountBalance {
  id: string
  currentBalanceCents: number | null
  availableBalanceCents: number | null
}

/** Leaves out pending transactions whose booked successors are present, too. */
export const withoutBookedPending = <Row extends { id: string; pendingTransactionId: string | null }>(
  rows: readonly Row[]
): Row[] => {
  const booked = new Set(rows.flatMap(({ pendingTransactionId }) => pendingTransactionId ?? []))
  return booked.size === 0 ? [...rows] : rows.filter(({ id }) => !booked.has(id))
}

/**
 * What can be spent from some accounts, net of all pending transactions: the available balance, which excludes them by its definition,
 * or where the bank reports none, the current balance without them.
 */
export const spendableBalance = (
  accounts: readonly AccountBalance[],
  transactions: readonly Pick<BankTransaction, 'accountId' | 'amountCents' | 'pending'>[]
): number => {
  const pendingByAccount = new Map<string, number>()
  for (const { accountId, amountCents, pending } of transactions) {
    if (pending) pendingByAccount.set(accountId, (pendingByAccount.get(accountId) ?? 0) + amountCents)
  }
  return accounts.reduce(
    (sum, { id, availableBalanceCents, currentBalanceCents }) =>
      sum + (availableBalanceCents ?? (currentBalanceCents ?? 0) - (pendingByAccount.get(id) ?? 0)),
    0
  )
}
