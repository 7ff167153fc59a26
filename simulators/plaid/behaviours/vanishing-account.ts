import { dayMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

const lastsMs = 2 * dayMs

/** The savings account is closed two days after linking, and the bank lists it no longer. Its transactions stay, and there are no new ones. */
export const vanishingAccount: Behaviour = {
  name: 'vanishing account',
  accounts: (accounts, { linkedAt, now }) =>
    now < linkedAt + lastsMs ? accounts : accounts.filter(({ key }) => key !== '1111')
}
