import type { FreshAccount } from '../linking/index.ts'

export type LinkedAccount = Pick<
  FreshAccount,
  'id' | 'type' | 'currentBalanceCents' | 'availableBalanceCents' | 'isoCurrencyCode' | 'asOf' | 'stale'
>

/** The spendable balance of an end-user. */
export interface CashPosition {
  /** The accounts whose balances add up to it. */
  accountIds: string[]
  currency: string
  balanceCents: number
  /** The time of the oldest balance. */
  asOf: Date
  stale: boolean
}

/**
 * Combines the cash accounts that share the currency of the first one. Cards and loans are left out, because they are paid from cash
 * accounts. Prefers available balances, which already exclude pending payments, as the forecast expects.
 *
 * @returns undefined when no cash account has a balance.
 */
export const cashPosition = (accounts: LinkedAccount[]): CashPosition | undefined => {
  const balanceOf = (account: LinkedAccount) => account.availableBalanceCents ?? account.currentBalanceCents
  const cash = accounts.filter(
    (account) => account.type === 'depository' && balanceOf(account) !== null && account.isoCurrencyCode !== null
  )
  const [first] = cash
  if (first === undefined || first.isoCurrencyCode === null) return undefined
  const chosen = cash.filter((account) => account.isoCurrencyCode === first.isoCurrencyCode)
  return {
    accountIds: chosen.map((account) => account.id),
    currency: first.isoCurrencyCode,
    balanceCents: chosen.reduce((sum, account) => sum + (balanceOf(account) ?? 0), 0),
    asOf: new Date(Math.min(...chosen.map((account) => account.asOf.getTime()))),
    stale: chosen.some((account) => account.stale)
  }
}
