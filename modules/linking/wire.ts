import { fromMinorUnits } from '../../plugins/money.ts'
import type * as wire from '../../spec/generated/linking.ts'
import type { FreshAccount } from './balances.ts'
import { isFreshSync } from './item-status.ts'
import type { Account } from './queries/accounts.ts'
import type { FeedTransaction } from './queries/feed.ts'
import type { Item, ListedItem } from './queries/items.ts'

const toMoney = (amount: number | null, currency: string | null): number | null =>
  amount === null ? null : fromMinorUnits(amount, currency)

export const toInstitution = ({ institutionId, institutionName }: Pick<Item, 'institutionId' | 'institutionName'>) => ({
  institution_id: institutionId,
  name: institutionName
})

export const toLinkedAccount = (account: Account): wire.LinkedAccount => ({
  account_id: account.id,
  name: account.name,
  mask: account.mask,
  type: account.type,
  subtype: account.subtype,
  current_balance: toMoney(account.currentBalanceCents, account.isoCurrencyCode),
  available_balance: toMoney(account.availableBalanceCents, account.isoCurrencyCode),
  iso_currency_code: account.isoCurrencyCode,
  ...(account.duplicateOf === null ? {} : { duplicate_of: account.duplicateOf })
})

export const toAccount = (account: FreshAccount): wire.Account => ({
  ...toLinkedAccount(account),
  item_id: account.itemId,
  as_of: account.asOf.toISOString(),
  stale: account.stale,
  closed: account.closedAt !== null
})

export const toItem = (item: ListedItem): wire.Item => ({
  item_id: item.id,
  user_id: item.userId,
  institution: toInstitution(item),
  status: item.status === 'ok' && isFreshSync(item) ? 'resyncing' : item.status,
  error_code: item.errorCode,
  last_synced_at: item.lastSyncedAt?.toISOString() ?? null,
  history: item.history,
  quarantined_records: item.quarantinedRecords,
  new_accounts_available: item.newAccountsAvailable,
  access_ends_at: item.accessEndsAt?.toISOString() ?? null,
  ...(item.duplicateOf === null ? {} : { duplicate_of: item.duplicateOf }),
  environment: item.environment,
  created_at: item.createdAt.toISOString()
})

/** @throws Error for a removed transaction, whose fields are null. */
export const toTransaction = (transaction: FeedTransaction): wire.Transaction => {
  const { id, accountId, amountCents, date, pending, name } = transaction
  if (accountId === null || amountCents === null || date === null || pending === null || name === null)
    throw new Error(`The transaction ${id} is removed and has no content.`)
  return {
    transaction_id: id,
    account_id: accountId,
    merchant_name: transaction.merchantName,
    name,
    amount: fromMinorUnits(amountCents, transaction.isoCurrencyCode),
    iso_currency_code: transaction.isoCurrencyCode,
    date,
    authorized_date: transaction.authorizedDate,
    pending,
    pending_transaction_id: transaction.pendingTransactionId,
    personal_finance_category_primary: transaction.category
  }
}
