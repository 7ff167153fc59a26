import { institutionNotResponding } from '../errors.ts'
import type { Behaviour } from './behaviour.ts'

/** The bank never answers requests for current balances. */
export const noLiveBalance: Behaviour = {
  name: 'no live balance',
  balanceError: () => institutionNotResponding()
}
