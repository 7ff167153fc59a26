import type { Static } from '@sinclair/typebox'
import { fromCents } from '../../plugins/money.ts'
import type * as schemas from '../../spec/generated/linking.ts'
import type { FreshAccount } from './balances.ts'
import type { StoredAccount } from './queries/accounts.ts'
import type { ShownTransaction } from './queries/feed.ts'
import type { ItemRow } from './queries/items.ts'

const moneyOrNull = (cents: number | null): number | null => (cents === null ? null : fromCents(cents))

/** How these things look on the wire. */
export const toInstitution = ({
  institution_id,
  institution_name
}: Pick<ItemRow, 'institution_id' | 'institution_name'>) => ({ institution_id, name: institution_name })

export const toLinkedAccount = (account: StoredAccount): Static<typeof schemas.LinkedAccount> => ({
  account_id: account.id,
  name: account.name,
  mask: account.mask,
  type: account.type,
  subtype: account.subtype,
  current_balance: moneyOrNull(account.current_balance_cents),
  available_balance: moneyOrNull(account.available_balance_cents),
  iso_currency_code: account.iso_currency_code
})

export const toAccount = (account: FreshAccount): Static<typeof schemas.Account> => ({
  ...toLinkedAccount(account),
  item_id: account.item_id,
  as_of: account.as_of.toISOString(),
  stale: account.stale
})

export const toItem = (item: ItemRow): Static<typeof schemas.Item> => ({
  item_id: item.id,
  user_id: item.user_id,
  institution: toInstitution(item),
  status: item.status,
  error_code: item.error_code,
  last_synced_at: item.last_synced_at?.toISOString() ?? null,
  environment: item.environment,
  created_at: item.created_at.toISOString()
})

/** @throws Error for a tombstone, which has none of this. */
export const toTransaction = (row: ShownTransaction): Static<typeof schemas.Transaction> => {
  if (
    row.account_id === null ||
    row.amount_cents === null ||
    row.date === null ||
    row.pending === null ||
    row.name === null
  ) {
    throw new Error(`The transaction ${row.id} is removed and cannot be shown.`)
  }
  return {
    transaction_id: row.id,
    account_id: row.account_id,
    merchant_name: row.merchant_name,
    name: row.name,
    amount: fromCents(row.amount_cents),
    iso_currency_code: row.iso_currency_code,
    date: row.date,
    authorized_date: row.authorized_date,
    pending: row.pending,
    pending_transaction_id: row.pending_transaction_id,
    personal_finance_category_primary: row.category
  }
}
