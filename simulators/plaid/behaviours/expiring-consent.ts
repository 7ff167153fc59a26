import { dayMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

/** As in Europe: the end-user's consent expires, here five days after linking, of which Plaid warns at once. */
export const expiringConsent: Behaviour = {
  name: 'expiring consent',
  consentEndsAt: ({ consentedAt }) => consentedAt + 5 * dayMs
}
