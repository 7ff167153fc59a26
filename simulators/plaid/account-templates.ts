/** An account of a sandbox user. Amounts are of the currency's major unit, as on Plaid's wire; some have four decimals. */
export interface AccountTemplate {
  /** Tells the accounts of a person apart. */
  key: string
  mask: string | null
  name: string
  officialName: string | null
  type: 'depository' | 'credit' | 'investment' | 'loan' | 'other'
  subtype: string | null
  available: number | null
  current: number | null
  limit: number | null
  /** Undefined for the bank's own currency. */
  currency?: string
  /** Whether the bank gives an identity that is the same in every item. */
  hasPersistentId?: boolean
  /** When the balance was last updated, in milliseconds since 1970; undefined when the bank does not say. */
  updatedAt?: number
}

/** An account on Plaid's wire. */
export interface Account {
  account_id: string
  balances: {
    available: number | null
    current: number | null
    limit: number | null
    iso_currency_code: string | null
    unofficial_currency_code: string | null
    last_updated_datetime?: string | null
  }
  mask: string | null
  name: string
  official_name: string | null
  type: string
  subtype: string | null
  persistent_account_id?: string
  holder_category: 'personal'
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
): AccountTemplate => ({ key: mask, mask, name, officialName, type, subtype, available, current, limit })

// Neither transactions nor transfers change the balances: Plaid's sandbox does not change them either, and callers'
// tests may rely on 110 and 100.
export const userGood: readonly AccountTemplate[] = [
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

/** An account that is known by its number only (/transfer/migrate_account), without a balance. */
export const migrated = (mask: string, subtype: 'checking' | 'savings'): AccountTemplate => ({
  key: mask,
  mask,
  name: subtype === 'checking' ? 'Checking' : 'Savings',
  officialName: null,
  type: 'depository',
  subtype,
  available: null,
  current: null,
  limit: null
})
