import { toBankTransaction } from '../../modules/insights/bank-transaction.ts'
import { cashPosition } from '../../modules/insights/cash-position.ts'
import { spendableBalance } from '../../modules/insights/spendable-balance.ts'
import { dateOfDay, dayOfDate } from '../../modules/insights/civil-date.ts'
import { accountsOf } from '../../simulators/plaid/accounts.ts'
import { historyBetween } from '../../simulators/plaid/history/timeline.ts'
import { toCents } from '../../plugins/money.ts'
import type { BankHistory } from './people.ts'

const firstLastDay = dayOfDate('2025-06-15')
const historyDays = 730

/** Two years of one simulated item's cash accounts, combined as the server does it. */
export const simulatorHistory = (seed: number): BankHistory => {
  const itemId = `bench-${seed}`
  // Histories end throughout the year, because heating and cooling costs are seasonal.
  const lastDay = firstLastDay + ((seed * 37) % 365)
  const lastDate = dateOfDay(lastDay)
  const firstDay = lastDay - historyDays + 1
  const accounts = accountsOf(
    {
      item_id: itemId,
      institution_id: null,
      migrated_mask: null,
      migrated_subtype: null,
      username: null,
      shares_all_at: null,
      revoked_key: null,
      created_at: new Date(lastDate)
    },
    new Date(lastDate)
  ).map(({ account_id, type, subtype, balances }) => ({
    id: account_id,
    type,
    subtype,
    currentBalanceCents: balances.current === null ? null : toCents(balances.current),
    availableBalanceCents: balances.available === null ? null : toCents(balances.available),
    isoCurrencyCode: balances.iso_currency_code,
    asOf: new Date(lastDate),
    stale: false
  }))
  const rows = historyBetween(itemId, dateOfDay(firstDay), lastDate).map((row) => ({
    id: row.transaction_id,
    accountId: row.account_id,
    amountCents: toCents(row.amount),
    isoCurrencyCode: row.iso_currency_code,
    date: row.date,
    authorizedDate: row.authorized_date,
    pending: row.pending,
    name: row.name,
    merchantName: row.merchant_name,
    category: row.personal_finance_category.primary,
    pendingTransactionId: null
  }))
  const position = cashPosition(accounts)
  if (position === undefined) throw new Error('The simulator has no cash accounts.')
  const accountIds = new Set(position.accounts.map(({ id }) => id))
  const transactions = rows
    .filter(({ accountId, date }) => accountIds.has(accountId) && dayOfDate(date) >= firstDay)
    .map(toBankTransaction)
  // The simulator's balances are constant, so they are used as opening balances.
  return {
    label: itemId,
    transactions,
    firstDay,
    lastDay,
    openingBalanceCents: spendableBalance(position.accounts, [])
  }
}
