import { hourMs } from '../history/days.ts'
import { invalidField, lastUpdatedOutOfRange } from '../errors.ts'
import type { Behaviour } from './behaviour.ts'

/**
 * As at Capital One: the bank gives current balances of deposit accounts only. The others are hours old, and a request for them must accept
 * that with `min_last_updated_datetime`.
 */
export const balanceAgeRule = (ageHours: number): Behaviour => ({
  name: `balances ${ageHours} hours old`,
  accounts: (accounts, { now }) =>
    accounts.map((account) => ({
      ...account,
      updatedAt: account.type === 'depository' ? now : now - ageHours * hourMs
    })),
  balanceError(accounts, minLastUpdated, { now }) {
    if (accounts.every(({ type }) => type === 'depository')) return undefined
    if (minLastUpdated === undefined)
      return invalidField('options.min_last_updated_datetime must be provided for this institution')
    const oldest = Date.parse(minLastUpdated)
    if (Number.isNaN(oldest)) return invalidField('options.min_last_updated_datetime must be a timestamp')
    return oldest > now - ageHours * hourMs ? lastUpdatedOutOfRange() : undefined
  }
})
