import type { AccountBase, Transaction } from 'plaid'
import type { FieldsOf } from '../../plugins/database/rows.ts'
import { toCents } from '../../plugins/money.ts'
import { transactionIdOf } from './ids.ts'

/** The changes in a page of /transactions/sync. */
export interface Page {
  added: Transaction[]
  modified: Transaction[]
  removed: { transaction_id: string }[]
}

/** Reduces pages to the last state of each transaction; null when it was removed. Later pages win. */
export const foldPages = (pages: Page[]): Map<string, Transaction | null> => {
  const fold = new Map<string, Transaction | null>()
  const put = (id: string, value: Transaction | null) => {
    fold.delete(id)
    fold.set(id, value)
  }
  for (const { added, modified, removed } of pages) {
    for (const transaction of [...added, ...modified]) put(transaction.transaction_id, transaction)
    for (const { transaction_id } of removed) put(transaction_id, null)
  }
  return fold
}

/** @throws Error when the transaction belongs to an unknown account. */
export const toNewTransaction = (itemId: string, transaction: Transaction, accountIds: ReadonlyMap<string, string>) => {
  const accountId = accountIds.get(transaction.account_id)
  if (accountId === undefined)
    throw new Error(`Plaid returned a transaction of an account that item ${itemId} does not have.`)
  const pendingId = transaction.pending_transaction_id
  return {
    id: transactionIdOf(itemId, transaction.transaction_id),
    accountId,
    amountCents: toCents(transaction.amount),
    isoCurrencyCode: transaction.iso_currency_code,
    date: transaction.date,
    authorizedDate: transaction.authorized_date,
    pending: transaction.pending,
    name: transaction.name ?? transaction.merchant_name ?? '',
    merchantName: transaction.merchant_name ?? null,
    category: transaction.personal_finance_category?.primary ?? null,
    pendingTransactionId: pendingId === null ? null : transactionIdOf(itemId, pendingId)
  }
}

/** A transaction to store; amounts are positive when money leaves the account. */
export type NewTransaction = ReturnType<typeof toNewTransaction>

/** An account to store. */
export type NewAccount = Omit<FieldsOf<'accounts'>, 'id' | 'itemId' | 'asOf'> & { asOf: string }

const toCentsOrNull = (amount: number | null): number | null => (amount === null ? null : toCents(amount))

/** Converts accounts, keeping Plaid's order. Balances without a time of their own are as of `now`. */
export const toNewAccounts = (accounts: AccountBase[], now: Date): NewAccount[] =>
  accounts.map(({ account_id, name, mask, type, subtype, balances }, ordinal) => ({
    plaidAccountId: account_id,
    ordinal,
    name,
    mask,
    type,
    subtype,
    currentBalanceCents: toCentsOrNull(balances.current),
    availableBalanceCents: toCentsOrNull(balances.available),
    isoCurrencyCode: balances.iso_currency_code,
    asOf: balances.last_updated_datetime ?? now.toISOString()
  }))
