import type { Behaviour } from './behaviour.ts'

/** The bank has an account that the end-user did not share at first, of which Plaid tells at once. Link in update mode adds it. */
export const moreAccounts: Behaviour = {
  name: 'more accounts',
  offersMoreAccounts: true,
  accounts: (accounts, { sharesAll }) =>
    sharesAll
      ? [
          ...accounts,
          {
            key: 'later',
            mask: '7070',
            name: 'Later Savings',
            officialName: null,
            type: 'depository' as const,
            subtype: 'savings',
            available: 70,
            current: 70,
            limit: null
          }
        ]
      : accounts
}
