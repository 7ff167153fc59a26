import { migrated, userGood, type Account, type AccountTemplate } from './account-templates.ts'
import { behavioursOf, bankCurrencyOf, momentOf, type BankCustomer } from './customers.ts'
import { accountIdOf } from './ids.ts'
import { seededId } from './random.ts'

/** The part of an item that decides its accounts. */
export interface AccountOwner extends BankCustomer {
  migrated_mask: string | null
  migrated_subtype: 'checking' | 'savings' | null
}

/** The accounts that a customer's bank lists, before they are rendered, in Plaid's order. */
export const templatesOf = (item: AccountOwner, now: Date): AccountTemplate[] => {
  if (item.migrated_mask !== null) return [migrated(item.migrated_mask, item.migrated_subtype ?? 'checking')]
  const moment = momentOf(item, now)
  return behavioursOf(item)
    .reduce<AccountTemplate[]>(
      (accounts, behaviour) => behaviour.accounts?.(accounts, moment) ?? accounts,
      [...userGood]
    )
    .filter(({ key }) => key !== item.revoked_key)
}

const toWire = (item: AccountOwner, account: AccountTemplate, now: Date): Account => ({
  account_id: accountIdOf(item.item_id, account.key),
  balances: {
    available: account.available,
    current: account.current,
    limit: account.limit,
    iso_currency_code: account.currency ?? bankCurrencyOf(item),
    unofficial_currency_code: null,
    ...(account.updatedAt === undefined ? {} : { last_updated_datetime: new Date(account.updatedAt).toISOString() })
  },
  mask: account.mask,
  name: account.name,
  official_name: account.officialName,
  type: account.type,
  subtype: account.subtype,
  ...(account.hasPersistentId === true
    ? { persistent_account_id: seededId('persistent', momentOf(item, now).seed, account.key) }
    : {}),
  holder_category: 'personal'
})

/** The accounts of an item at a moment, in Plaid's order. */
export const accountsOf = (item: AccountOwner, now: Date): Account[] =>
  templatesOf(item, now).map((account) => toWire(item, account, now))

/** The accounts as they are sent, some of which can break Plaid's contract. */
export const sentAccountsOf = (item: AccountOwner, accounts: Account[], now: Date): unknown[] => {
  const moment = momentOf(item, now)
  const behaviours = behavioursOf(item)
  return accounts.map((account) => {
    for (const behaviour of behaviours) {
      const sent = behaviour.account?.(account, moment)
      if (sent !== undefined && !sent.isSound) return sent.record
      if (sent !== undefined) account = sent.record as Account
    }
    return account
  })
}
