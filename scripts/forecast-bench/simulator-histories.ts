import { toBankTransaction } from '../../modules/insights/bank-transaction.ts'
import { cashPosition } from '../../modules/insights/cash-position.ts'
import { spendableBalance } from '../../modules/insights/spendable-balance.ts'
import { dateOfDay, dayOfDate } from '../../modules/insights/civil-date.ts'
import { accountsOf } from '../../simulators/plaid/accounts.ts'
import { behaviours, type Behaviour } from '../../simulators/plaid/behaviours/index.ts'
import { renderTransaction, type WireTransaction } from '../../simulators/plaid/history/render.ts'
import { historyBetween, Timeline, beginning } from '../../simulators/plaid/history/timeline.ts'
import { toCents } from '../../plugins/money.ts'
import type { BankHistory } from './people.ts'

const firstLastDay = dayOfDate('2025-06-15')
const historyDays = 730
/** Corrections of the last days arrive until then. */
const correctedMs = 10 * 24 * 3_600_000

const historyAt = (bank: readonly Behaviour[], seed: string, from: string, to: string): WireTransaction[] => {
  if (bank.length === 0) return historyBetween(seed, from, to)
  const timeline = new Timeline(seed, Date.parse(to), historyDays, bank)
  const { town } = timeline.profile
  const context = { itemId: seed, town, currencyOf: () => 'USD', includeOriginalDescription: false }
  const { added } = timeline.difference(beginning, { at: Date.parse(to) + correctedMs, batches: 0 })
  return added
    .filter(({ stage }) => stage === 'posted')
    .map((version) => renderTransaction(version, context))
    .filter(({ date }) => date >= from && date <= to)
}

/** Two years of the cash accounts of an item at a bank with these behaviours, combined as the server does it. */
export const historyOf = (bank: readonly Behaviour[], seed: number): BankHistory => {
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
  const rows = historyAt(bank, itemId, dateOfDay(firstDay), lastDate).map((row) => ({
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

/** A person at a polite bank of the simulator. */
export const simulatorHistory = (seed: number): BankHistory => historyOf([], seed)

const lines = [behaviours.englishLines, behaviours.germanLines, behaviours.spanishLines]

/** A person at a bank with late, sparse and several bills, weekend shifts, and wordy lines in one of three languages. */
export const unrulySimulatorHistory = (seed: number): BankHistory => {
  const { lateBills, weekendShifts, sparseBills, twoPolicies } = behaviours
  const wordy = lines[seed % lines.length] ?? behaviours.englishLines
  return historyOf([lateBills, weekendShifts, sparseBills, twoPolicies, wordy], seed)
}
