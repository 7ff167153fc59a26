import type { FreshAccount } from '../linking/index.ts'

export type LinkedAccount = Pick<
  FreshAccount,
  'id' | 'type' | 'subtype' | 'currentBalanceCents' | 'availableBalanceCents' | 'isoCurrencyCode' | 'asOf' | 'stale'
>

/** The spendable accounts of an end-user in one currency. */
export interface CashPosition {
  accounts: Pick<LinkedAccount, 'id' | 'currentBalanceCents' | 'availableBalanceCents'>[]
  currency: string
  /** The time of the oldest balance. */
  asOf: Date
  stale: boolean
}

/** Accounts from which people pay. Deposits with a term or a purpose (cd, hsa, ebt) are none, and cards and loans are paid from these. */
const spendableSubtypes = new Set(['checking', 'savings', 'money market', 'cash management', 'prepaid'])

const balanceOf = ({ availableBalanceCents, currentBalanceCents }: LinkedAccount): number | null =>
  availableBalanceCents ?? currentBalanceCents

const isSpendable = (account: LinkedAccount): boolean =>
  account.type === 'depository' &&
  spendableSubtypes.has((account.subtype ?? '').toLowerCase()) &&
  balanceOf(account) !== null

/**
 * Combines the spendable accounts of one currency.
 * @param accounts that are open, each once.
 * @param wanted the currency; the default is the one with the largest absolute balance.
 * @returns undefined when no spendable account of the currency has a balance.
 */
export const cashPosition = (accounts: readonly LinkedAccount[], wanted?: string): CashPosition | undefined => {
  const byCurrency = new Map<string, LinkedAccount[]>()
  for (const account of accounts) {
    if (account.isoCurrencyCode === null || !isSpendable(account)) continue
    byCurrency.set(account.isoCurrencyCode, [...(byCurrency.get(account.isoCurrencyCode) ?? []), account])
  }
  const sizeOf = (group: readonly LinkedAccount[]): number =>
    Math.abs(group.reduce((sum, account) => sum + (balanceOf(account) ?? 0), 0))
  const largest = [...byCurrency].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a))[0]?.[0]
  const currency = wanted ?? largest
  const chosen = currency === undefined ? undefined : byCurrency.get(currency)
  if (currency === undefined || chosen === undefined) return undefined
  return {
    accounts: chosen.map(({ id, currentBalanceCents, availableBalanceCents }) => ({
      id,
      currentBalanceCents,
      availableBalanceCents
    })),
    currency,
    asOf: new Date(Math.min(...chosen.map(({ asOf }) => asOf.getTime()))),
    stale: chosen.some(({ stale }) => stale)
  }
}
