import type { Behaviour, Moment } from './behaviours/behaviour.ts'
import { findInstitution } from './institutions.ts'

/** The part of an item that decides its data. */
export interface BankCustomer {
  item_id: string
  institution_id: string | null
  username: string | null
  created_at: Date
  shares_all_at: Date | null
  revoked_key: string | null
}

/** How the bank of an item behaves. */
export const behavioursOf = (item: BankCustomer): Behaviour[] => findInstitution(item.institution_id)?.behaviours ?? []

export const bankCurrencyOf = (item: BankCustomer): string => findInstitution(item.institution_id)?.currency ?? 'USD'

/** A person at an unruly bank has the same data in every item; at the others, every item is another person. */
const seedOf = (item: BankCustomer): string =>
  behavioursOf(item).length === 0 ? item.item_id : `${item.institution_id}|${item.username ?? 'user_good'}`

export const momentOf = (item: BankCustomer, now: Date): Moment => ({
  seed: seedOf(item),
  linkedAt: item.created_at.getTime(),
  now: now.getTime(),
  consentedAt: (item.shares_all_at ?? item.created_at).getTime(),
  sharesAll: item.shares_all_at !== null
})
