import type { Behaviour } from './behaviour.ts'

/** Deposit accounts have an identity that is the same in every item. Their names and masks change with each link. */
export const persistentIds: Behaviour = {
  name: 'persistent ids',
  accounts: (accounts, { linkedAt }) =>
    accounts.map((account) =>
      account.type === 'depository'
        ? {
            ...account,
            hasPersistentId: true,
            mask: String(1_000 + ((Math.floor(linkedAt / 1_000) + Number(account.mask)) % 9_000))
          }
        : account
    )
}
