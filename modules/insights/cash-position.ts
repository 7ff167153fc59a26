import type { FeedTransaction, FreshAccount } from '../linking/index.ts'
import type { BankTransaction } from './bank-transaction.ts'

export type LinkedAccount = Pick<
  FreshAccount,
  'id' | 'type' | 'currentBalanceCents' | 'availableBalanceCents' | 'isoCurrencyCode' | 'asOf' | 'stale'
>

/** Amounts are positive when money leaves the account. */
export type LinkedTransaction = Pick<
  FeedTransaction,
  'id' | 'accountId' | 'amountCents' | 'date' | 'pending' | 'name' | 'merchantName' | 'category'
>

/** The spendable balance of an end-user and the transactions that changed it. */
export interface CashPosition {
  currency: string
  balanceCents: number
  /** The time of the oldest balance. */
  asOf: Date
  stale: boolean
  transactions: BankTransaction[]
}

/**
 * Combines the cash accounts that share the currency of the first one. Cards and loans are left out, because they are paid from cash
 * accounts. Prefers available balances, which already exclude pending payments, as the forecast expects.
 *
 * @returns undefined when no cash account has a balance.
 */
export const cashPosition = (
  accounts: LinkedAccount[],
  transactions: LinkedTransaction[]
): CashPosition | undefined => {
  const balanceOf = (account: LinkedAccount) => account.availableBalanceCents ?? account.currentBalanceCents
  const cash = accounts.filter(
    (account) => account.type === 'depository' && balanceOf(account) !== null && account.isoCurrencyCode !== null
  )
  const [first] = cash
  if (first === undefined || first.isoCurrencyCode === null) return undefined
  const chosen = cash.filter((account) => account.isoCurrencyCode === first.isoCurrencyCode)
  const ids = new Set(chosen.map((account) => account.id))
  return {
    currency: first.isoCurrencyCode,
    balanceCents: chosen.reduce((sum, account) => sum + (balanceOf(account) ?? 0), 0),
    asOf: new Date(Math.min(...chosen.map((account) => account.asOf.getTime()))),
    stale: chosen.some((account) => account.stale),
    transactions: transactions.flatMap(({ id, accountId, amountCents, date, pending, name, merchantName, category }) =>
      accountId === null || !ids.has(accountId) || amountCents === null || date === null
        ? []
        : [
            {
              transactionId: id,
              accountId,
              date,
              amountCents,
              description: merchantName ?? name ?? '',
              pending: pending === true,
              category
            }
          ]
    )
  }
}
