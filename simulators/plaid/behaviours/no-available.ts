import type { Behaviour } from './behaviour.ts'

/** The bank does not calculate available balances. */
export const noAvailable: Behaviour = {
  name: 'no available',
  accounts: (accounts) => accounts.map((account) => ({ ...account, available: null, current: account.current ?? 0 }))
}
