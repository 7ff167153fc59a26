import type { AccountTemplate } from '../account-templates.ts'
import type { Behaviour } from './behaviour.ts'

const kinds: [AccountTemplate['type'], string | null, string][] = [
  ['depository', 'hsa', 'Health Savings'],
  ['depository', 'ebt', 'EBT Food'],
  ['depository', 'cash management', 'Cash Management'],
  ['depository', 'prepaid', 'Prepaid Card'],
  ['depository', 'paypal', 'Wallet'],
  ['depository', 'gic', 'Guaranteed Certificate'],
  ['depository', null, 'Account'],
  ['credit', 'paypal', 'Pay Later'],
  ['loan', 'line of credit', 'Line of Credit'],
  ['loan', 'auto', 'Auto Loan'],
  ['loan', 'overdraft', 'Overdraft'],
  ['investment', 'brokerage', 'Brokerage'],
  ['investment', 'crypto exchange', 'Crypto'],
  ['other', 'other', 'Loyalty Points']
]

/** Accounts of many types and subtypes, two of them with the same name and mask. */
export const allSubtypes: Behaviour = {
  name: 'all subtypes',
  accounts: (accounts) => [
    ...accounts,
    ...kinds.map(([type, subtype, name], index) => ({
      key: `kind-${index}`,
      mask: index < 2 ? '9000' : String(9_000 + index),
      name,
      officialName: null,
      type,
      subtype,
      available: type === 'loan' ? null : 100 + index,
      current: index === 4 ? null : 100 + index,
      limit: null
    })),
    { ...twin, key: 'twin-1' },
    { ...twin, key: 'twin-2' }
  ]
}

const twin: Omit<AccountTemplate, 'key'> = {
  mask: '9500',
  name: 'Pocket',
  officialName: null,
  type: 'depository',
  subtype: 'savings',
  available: 5,
  current: 5,
  limit: null
}
