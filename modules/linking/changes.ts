import type { FieldsOf } from '../../plugins/database/rows.ts'
import { toMinorUnits } from '../../plugins/money.ts'
import { transactionIdOf } from './ids.ts'
import { sortOut, type OddRecord, type SoundAccount, type SoundTransaction } from './records.ts'

/** The changes in a page of /transactions/sync, as Plaid sent them. */
export interface Page {
  added: unknown
  modified: unknown
  removed: unknown
}

/** The last state of each transaction in some pages. */
export interface Folded {
  /** By Plaid's id; null when it was removed. */
  states: Map<string, SoundTransaction | null>
  odd: OddRecord[]
}

/** Reduces pages to the last state of each transaction; later pages win. An odd record leaves the state before it. */
export const foldPages = (pages: Page[]): Folded => {
  const states: Folded['states'] = new Map()
  const oddByKey = new Map<string, OddRecord>()
  const put = (id: string, value: SoundTransaction | null) => {
    oddByKey.delete(id)
    states.delete(id)
    states.set(id, value)
  }
  const note = (odd: OddRecord[]) => {
    for (const record of odd) oddByKey.set(record.key, record)
  }
  for (const { added, modified, removed } of pages) {
    for (const list of [added, modified]) {
      const { sound, odd } = sortOut('transaction', list)
      for (const transaction of sound) put(transaction.transaction_id, transaction)
      note(odd)
    }
    const removals = sortOut('removal', removed)
    for (const { transaction_id } of removals.sound) put(transaction_id, null)
    note(removals.odd)
  }
  return { states, odd: [...oddByKey.values()] }
}

/** Converts a transaction of a stored account. */
export const toNewTransaction = (itemId: string, accountId: string, transaction: SoundTransaction) => {
  const pendingId = transaction.pending_transaction_id ?? null
  const currency = transaction.iso_currency_code ?? null
  return {
    id: transactionIdOf(itemId, transaction.transaction_id),
    accountId,
    amountCents: toMinorUnits(transaction.amount, currency),
    isoCurrencyCode: currency,
    date: transaction.date,
    authorizedDate: transaction.authorized_date ?? null,
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
export type NewAccount = Omit<FieldsOf<'accounts'>, 'id' | 'itemId' | 'asOf' | 'closedAt' | 'duplicateOf'> & {
  asOf: string
}

const toMinorUnitsOrNull = (amount: number | null | undefined, currency: string | null): number | null =>
  amount === null || amount === undefined ? null : toMinorUnits(amount, currency)

/** The bank's own time of a balance, if it gives one that exists and has passed. */
const timeOf = (text: string | null | undefined, now: Date): string | undefined => {
  const ms = text === null || text === undefined ? Number.NaN : Date.parse(text)
  return ms >= 0 && ms <= now.getTime() ? new Date(ms).toISOString() : undefined
}

const toNewAccount = (account: SoundAccount, ordinal: number, asOf: Date, now: Date): NewAccount => {
  const { balances } = account
  const currency = balances.iso_currency_code ?? null
  return {
    plaidAccountId: account.account_id,
    ordinal,
    name: account.name,
    mask: account.mask ?? null,
    type: account.type,
    subtype: account.subtype ?? null,
    currentBalanceCents: toMinorUnitsOrNull(balances.current, currency),
    availableBalanceCents: toMinorUnitsOrNull(balances.available, currency),
    isoCurrencyCode: currency,
    asOf: timeOf(balances.last_updated_datetime, now) ?? asOf.toISOString(),
    persistentAccountId: account.persistent_account_id ?? null
  }
}

/** The accounts that a bank listed. */
export interface Listing {
  accounts: NewAccount[]
  odd: OddRecord[]
  /** Plaid's ids of all listed accounts, odd ones too; an account of the item that is not among them is closed. */
  listedIds: string[]
}

/** The most accounts of an item that are stored. */
const mostAccounts = 500

/** Converts accounts, keeping Plaid's order. Balances without a time of their own are as of `asOf`. */
export const toListing = (records: unknown, { asOf, now }: { asOf: Date; now: Date }): Listing => {
  const { sound, odd } = sortOut('account', Array.isArray(records) ? records.slice(0, mostAccounts) : [])
  const unique = new Map(sound.map((account) => [account.account_id, account]))
  const accounts = [...unique.values()].map((account, ordinal) => toNewAccount(account, ordinal, asOf, now))
  return { accounts, odd, listedIds: [...unique.keys(), ...odd.map(({ key }) => key)] }
}
