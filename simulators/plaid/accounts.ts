import { seededId } from './random.ts'

/** An account of the sandbox user `user_good`. Amounts are dollars, as on Plaid's wire; some have four decimals. */
interface AccountTemplate {
  mask: string
  name: string
  officialName: string | null
  type: 'depository' | 'credit' | 'investment' | 'loan'
  subtype: string
  available: number | null
  current: number
  limit: number | null
}

const template = (
  mask: string,
  name: string,
  officialName: string | null,
  type: AccountTemplate['type'],
  subtype: string,
  available: number | null,
  current: number,
  limit: number | null = null
): AccountTemplate => ({ mask, name, officialName, type, subtype, available, current, limit })

// Neither transactions nor transfers change the balances: Plaid's sandbox does not change them either, and callers'
// tests may rely on 110 and 100.
const userGood: readonly AccountTemplate[] = [
  template('0000', 'Plaid Checking', 'Plaid Gold Standard 0% Interest Checking', 'depository', 'checking', 100, 110),
  template('1111', 'Plaid Saving', 'Plaid Silver Standard 0.1% Interest Saving', 'depository', 'savings', 200, 210),
  template('2222', 'Plaid CD', 'Plaid Bronze Standard 0.2% Interest CD', 'depository', 'cd', null, 1000),
  template(
    '3333',
    'Plaid Credit Card',
    'Plaid Diamond 12.5% APR Interest Credit Card',
    'credit',
    'credit card',
    null,
    410,
    2000
  ),
  template(
    '4444',
    'Plaid Money Market',
    'Plaid Platinum Standard 1.85% Interest Money Market',
    'depository',
    'money market',
    43200,
    43200
  ),
  template('5555', 'Plaid IRA', null, 'investment', 'ira', null, 320.76),
  template('6666', 'Plaid 401k', null, 'investment', '401k', null, 23631.9805),
  template('7777', 'Plaid Student Loan', null, 'loan', 'student', null, 65262),
  template('8888', 'Plaid Mortgage', null, 'loan', 'mortgage', null, 56302.06)
]

/** The part of an item that decides its accounts. */
export interface AccountOwner {
  item_id: string
  institution_id: string | null
  migrated_mask: string | null
  migrated_subtype: 'checking' | 'savings' | null
}

export interface Account {
  account_id: string
  balances: {
    available: number | null
    current: number | null
    limit: number | null
    iso_currency_code: string
    unofficial_currency_code: null
  }
  mask: string
  name: string
  official_name: string | null
  type: string
  subtype: string
  holder_category: 'personal'
}

/** The account_id of an item's account with this mask, derived so that it never changes. */
export const accountIdOf = (itemId: string, mask: string): string => seededId('account', itemId, mask)

/** The accounts of an item, in Plaid's order. */
export const accountsOf = (item: AccountOwner): Account[] => {
  if (item.migrated_mask !== null)
    return [migratedAccount(item.item_id, item.migrated_mask, item.migrated_subtype ?? 'checking')]
  const currency = item.institution_id === 'ins_43' ? 'CAD' : 'USD'
  return userGood.map((account) => ({
    account_id: accountIdOf(item.item_id, account.mask),
    balances: {
      available: account.available,
      current: account.current,
      limit: account.limit,
      iso_currency_code: currency,
      unofficial_currency_code: null
    },
    mask: account.mask,
    name: account.name,
    official_name: account.officialName,
    type: account.type,
    subtype: account.subtype,
    holder_category: 'personal'
  }))
}

/** An account that is known by its number only (/transfer/migrate_account), without a balance. */
const migratedAccount = (itemId: string, mask: string, subtype: 'checking' | 'savings'): Account => ({
  account_id: accountIdOf(itemId, mask),
  balances: { available: null, current: null, limit: null, iso_currency_code: 'USD', unofficial_currency_code: null },
  mask,
  name: subtype === 'checking' ? 'Checking' : 'Savings',
  official_name: null,
  type: 'depository',
  subtype,
  holder_category: 'personal'
})
