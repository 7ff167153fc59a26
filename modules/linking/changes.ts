import type { AccountBase, Transaction } from 'plaid'
import { toCents } from '../../plugins/money.ts'
import { transactionIdOf } from './ids.ts'

/** The part of a page of /transactions/sync that changes something. */
export interface Page {
  added: Transaction[]
  modified: Transaction[]
  removed: { transaction_id: string }[]
}

/** A transaction as it is stored; amounts are positive when money leaves the account. */
export interface TransactionRow {
  id: string
  account_id: string
  amount_cents: number
  iso_currency_code: string | null
  date: string
  authorized_date: string | null
  pending: boolean
  name: string
  merchant_name: string | null
  category: string | null
  pending_transaction_id: string | null
}

/** An account as it is stored, but for its id. */
export interface AccountRow {
  plaid_account_id: string
  ordinal: number
  name: string
  mask: string | null
  type: string
  subtype: string | null
  current_balance_cents: number | null
  available_balance_cents: number | null
  iso_currency_code: string | null
  as_of: string
}

/** What became of each transaction over a loop of pages: as it is now, or null when it is gone. Later pages win. */
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

/** @throws Error when Plaid tells of a transaction on an account that it has not told of. */
export const toTransactionRow = (
  itemId: string,
  transaction: Transaction,
  accountIds: ReadonlyMap<string, string>
): TransactionRow => {
  const accountId = accountIds.get(transaction.account_id)
  if (accountId === undefined)
    throw new Error(`Plaid sent a transaction on an account that the item ${itemId} does not have.`)
  const pendingId = transaction.pending_transaction_id
  return {
    id: transactionIdOf(itemId, transaction.transaction_id),
    account_id: accountId,
    amount_cents: toCents(transaction.amount),
    iso_currency_code: transaction.iso_currency_code,
    date: transaction.date,
    authorized_date: transaction.authorized_date,
    pending: transaction.pending,
    name: transaction.name ?? transaction.merchant_name ?? '',
    merchant_name: transaction.merchant_name ?? null,
    category: transaction.personal_finance_category?.primary ?? null,
    pending_transaction_id: pendingId === null ? null : transactionIdOf(itemId, pendingId)
  }
}

const centsOrNull = (amount: number | null): number | null => (amount === null ? null : toCents(amount))

/** Accounts in Plaid's order; a balance is as old as Plaid says, else of `now`. */
export const toAccountRows = (accounts: AccountBase[], now: Date): AccountRow[] =>
  accounts.map(({ account_id, name, mask, type, subtype, balances }, ordinal) => ({
    plaid_account_id: account_id,
    ordinal,
    name,
    mask,
    type,
    subtype,
    current_balance_cents: centsOrNull(balances.current),
    available_balance_cents: centsOrNull(balances.available),
    iso_currency_code: balances.iso_currency_code,
    as_of: balances.last_updated_datetime ?? now.toISOString()
  }))
