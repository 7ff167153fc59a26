import type { BankTransaction } from './bank-transaction.ts'

/** An account as it is linked, with balances in cents. */
export interface LinkedAccount {
  id: string
  type: string
  current_balance_cents: number | null
  available_balance_cents: number | null
  iso_currency_code: string | null
  as_of: Date
  stale: boolean
}

/** A transaction as it is linked; positive amounts leave the account. */
export interface LinkedTransaction {
  id: string
  account_id: string | null
  amount_cents: number | null
  date: string | null
  pending: boolean | null
  name: string | null
  merchant_name: string | null
  category: string | null
}

/** The money that an end-user can pay with, and what has moved it. */
export interface CashPosition {
  currency: string
  balanceCents: number
  /** When the oldest of the balances was told. */
  asOf: Date
  stale: boolean
  transactions: BankTransaction[]
}

/**
 * Puts together the cash accounts of one currency, that of the first of them: cards and loans are paid from them and are no money to spend. The balance is
 * what is available where the bank says it, since that has pending payments taken off as the forecast expects.
 *
 * @returns undefined when there is no cash account with a balance.
 */
export const cashPosition = (
  accounts: LinkedAccount[],
  transactions: LinkedTransaction[]
): CashPosition | undefined => {
  const balanceOf = (account: LinkedAccount): number | null =>
    account.available_balance_cents ?? account.current_balance_cents
  const cash = accounts.filter(
    (account) => account.type === 'depository' && balanceOf(account) !== null && account.iso_currency_code !== null
  )
  const [first] = cash
  if (first === undefined || first.iso_currency_code === null) return undefined
  const chosen = cash.filter((account) => account.iso_currency_code === first.iso_currency_code)
  const ids = new Set(chosen.map((account) => account.id))
  return {
    currency: first.iso_currency_code,
    balanceCents: chosen.reduce((sum, account) => sum + (balanceOf(account) ?? 0), 0),
    asOf: new Date(Math.min(...chosen.map((account) => account.as_of.getTime()))),
    stale: chosen.some((account) => account.stale),
    transactions: transactions.flatMap(
      ({ id, account_id, amount_cents, date, pending, name, merchant_name, category }) =>
        account_id === null || !ids.has(account_id) || amount_cents === null || date === null
          ? []
          : [
              {
                transactionId: id,
                accountId: account_id,
                date,
                amountCents: amount_cents,
                description: merchant_name ?? name ?? '',
                pending: pending === true,
                category
              }
            ]
    )
  }
}
